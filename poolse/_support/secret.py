"""Strings that `repr` hides: a token, an API key, or a URL with a password in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar, cast

from poolse.errors import UsageError

__all__ = [
    "Secret",
    "checked_api_key",
    "checked_secret",
    "checked_token",
    "hidden",
    "hidden_items",
]

T = TypeVar("T")

API_KEY_PREFIX: Final = "pk_"
JWT_PREFIX: Final = "eyJ"
"""The beginning of a JSON object in base64, with which each JWT begins."""


class Secret(str):
    """A str that `repr` hides.

    Some tools print the local variables of each frame of a traceback: then this is what they print.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "<secret>"


def hidden(value: T) -> T:
    """Return the same value, as a secret if it is a str."""
    return cast("T", Secret(value)) if isinstance(value, str) else value


def hidden_items(value: T) -> T:
    """Return the same value; of a mapping a copy, in which every str is a secret."""
    if not isinstance(value, Mapping):
        return value
    items = cast("Mapping[object, object]", value).items()
    return cast("T", {hidden(key): hidden(item) for key, item in items})


def checked_secret(name: str, secret: Secret) -> Secret:
    """Return the secret, if a header can carry it as it is."""
    if not secret.strip():
        raise UsageError(f"{name} is blank")
    if not secret.isprintable() or not secret.isascii() or secret != secret.strip():
        raise UsageError(f"{name} has blanks around it, or characters that HTTP cannot carry")
    return secret


def checked_token(name: str, secret: Secret) -> Secret:
    """Return the token of a user, if a header can carry it, and if it is not an API key."""
    if secret.startswith(API_KEY_PREFIX) and "." not in secret:
        raise UsageError(
            f"{name} is an API key, not a token: pass get_token=backend.token_provider(external_id)"
            " with a PoolseBackend, which takes the API key"
        )
    return checked_secret(name, secret)


def checked_api_key(name: str, secret: Secret) -> Secret:
    """Return the API key, if a header can carry it, and if it is not the token of a user."""
    if secret.startswith(JWT_PREFIX) and secret.count(".") == 2:
        raise UsageError(
            f"{name} is a user's token, not an API key: Poolse and AsyncPoolse take tokens"
        )
    return checked_secret(name, secret)
