"""A token, an API key, or a URL with a password in it."""

from __future__ import annotations

from typing import TypeVar, cast

from poolse.errors import UsageError

__all__ = ["Secret", "carried", "hidden"]

T = TypeVar("T")


class Secret(str):
    """A str that does not show itself.

    Some tools print the local variables of each frame of a traceback: then this is what they print.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "<secret>"


def carried(name: str, secret: Secret) -> Secret:
    """The secret, if it can go into a header as it is."""
    if not secret.strip():
        raise UsageError(f"{name} is blank")
    if not secret.isprintable() or not secret.isascii() or secret != secret.strip():
        raise UsageError(f"{name} has blanks around it, or characters that HTTP cannot carry")
    return secret


def hidden(value: T) -> T:
    """The same value, as a secret if it is a str."""
    return cast("T", Secret(value)) if isinstance(value, str) else value
