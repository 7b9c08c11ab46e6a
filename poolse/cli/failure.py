"""The error of a failed command."""

from __future__ import annotations

from typing import Final

__all__ = [
    "AUTH",
    "BUG",
    "FAILED",
    "HUNG_UP",
    "INTERRUPTED",
    "NETWORK",
    "NOT_FOUND",
    "READER_GONE",
    "TERMINATED",
    "USAGE",
    "Failure",
]

# The exit codes, as docs/cli.md lists them. Those above 128 are what a shell makes of a signal.
FAILED: Final = 1
USAGE: Final = 2
AUTH: Final = 3
NOT_FOUND: Final = 4
NETWORK: Final = 5
BUG: Final = 70
HUNG_UP: Final = 129
INTERRUPTED: Final = 130
READER_GONE: Final = 141
TERMINATED: Final = 143


class Failure(Exception):  # noqa: N818  (it is not a bug)
    """A failure of a command. The message is one line for the user."""

    def __init__(self, message: str, exit_code: int = FAILED, hint: str = "") -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.hint = hint
        """What to do."""
