"""Small private helpers that know nothing of chat, HTTP or sockets."""
