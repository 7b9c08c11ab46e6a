"""IDs of replies: the same whenever a message is delivered again, and not known to others.

Senders choose the IDs of their messages. An ID computed from public values alone could be taken
in advance, and the reply to a question would be refused each time. So it is keyed by a secret,
which is kept in the checkpoint beside the positions.
"""

from __future__ import annotations

from typing import Final

from poolse._follow.positions import Numbered, Position
from poolse.errors import ApiError

__all__ = [
    "PART_KEYS",
    "SECRET_BYTES",
    "SECRET_KEY",
    "is_final",
    "new_secret",
    "old_reply_id",
    "reply_id",
]

SECRET_KEY: Final = "secret:v1"  # noqa: S105
"""The key under which a checkpoint holds the secret."""

PART_KEYS: Final = tuple(f"{SECRET_KEY}:{part}" for part in range(1, 8))
"""Keys of the rest of the secret, for a checkpoint that keeps numbers, of 31 bits, and no IDs."""

SECRET_BYTES: Final = 20
"""How many random bytes `new_secret` takes."""

_NAMESPACE_URL: Final = bytes.fromhex("6ba7b8119dad11d180b400c04fd430c8")

_PASSING: Final = frozenset({401, 408, 425, 429})


def new_secret(random: bytes) -> Position:
    """Return a secret in the form of a position, so that any checkpoint can hold it.

    The number fits into a column of 32 bits, and the ID into one of UUIDs.
    """
    number = int.from_bytes(random[:4]) & 0x7FFFFFFF
    return Position(number or 1, _uuid(random[4:20], version=4))


def reply_id(secret: list[Position], user: str, key: str, message: Numbered, replies: int) -> str:
    """Return the ID of a reply.

    Args:
        secret: As the checkpoint returned it.
        user: ID of the user who replies.
        key: ID of the conversation.
        message: The message that is replied to.
        replies: How many replies were sent to it before.
    """
    import hmac

    # A store may change how it writes an ID, but not what it says.
    digest_key = " ".join(f"{int(part.sequence)} {part.id or ''}" for part in secret).lower()
    name = f"{user} {key} {message.sequence} {message.id} {replies}"
    content = name.encode(errors="backslashreplace")
    return _uuid(hmac.digest(digest_key.encode(), content, "sha256"), version=5)


def old_reply_id(user: str, message: Numbered, replies: int) -> str:
    """Return the ID of a reply as releases without a secret computed it."""
    import hashlib

    name = f"{user} answers {message.id} with number {replies}"
    content = _NAMESPACE_URL + name.encode(errors="backslashreplace")
    return _uuid(hashlib.sha1(content, usedforsecurity=False).digest(), version=5)


def is_final(error: ApiError) -> bool:
    """Return whether a reply that was refused in this way would be refused again."""
    return error.status < 500 and error.status not in _PASSING


def _uuid(content: bytes, version: int) -> str:
    octets = bytearray(content[:16])
    octets[6] = octets[6] & 0x0F | version << 4
    octets[8] = octets[8] & 0x3F | 0x80
    text = octets.hex()
    return "-".join([text[:8], text[8:12], text[12:16], text[16:20], text[20:]])
