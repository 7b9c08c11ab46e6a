"""What can be sent of a secret, and how it is kept from being shown."""

from __future__ import annotations

from poolse._support.secret import Secret, hidden, hidden_items
from poolse.errors import UsageError

__all__ = ["Secret", "carried", "hidden", "hidden_items"]


def carried(name: str, secret: Secret) -> Secret:
    """The secret, if it can go into a header as it is."""
    if not secret.strip():
        raise UsageError(f"{name} is blank")
    if not secret.isprintable() or not secret.isascii() or secret != secret.strip():
        raise UsageError(f"{name} has blanks around it, or characters that HTTP cannot carry")
    return secret
