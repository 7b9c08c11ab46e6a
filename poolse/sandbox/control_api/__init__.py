"""Control of a sandbox over HTTP, and its page."""
