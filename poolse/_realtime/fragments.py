"""WebSocket messages: what fragments make up, and how much of it is taken."""

from __future__ import annotations

from typing import Final

__all__ = ["MAX_HANDSHAKE", "BufferedBytes", "InvalidFragment", "Reassembler", "TooLarge"]

MAX_HANDSHAKE: Final = 2**17
"""Bytes of an answer to the handshake, the page of a refusal included. The sync library reads them
one by one."""

_PER_FRAGMENT: Final = 1024
"""Bytes that each fragment after the first counts beside its own: empty ones cost memory too."""


class TooLarge(Exception):  # noqa: N818  (a verdict)
    """The other side sends more in one piece than we take."""


class InvalidFragment(Exception):  # noqa: N818
    """A fragment that belongs to nothing, or a message within another."""


class BufferedBytes:
    """How much the message under way weighs."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._weight = 0

    @property
    def room(self) -> int:
        """Bytes that may still be added."""
        return self._limit - self._weight

    def add(self, size: int, *, last: bool) -> bool:
        """Whether it is not too much with another fragment of this size."""
        weight = self._weight + size
        self._weight = 0 if last else weight + _PER_FRAGMENT
        return weight <= self._limit


class Reassembler:
    """Puts fragments together."""

    def __init__(self, limit: int) -> None:
        self._weight = BufferedBytes(limit)
        self._data = bytearray()
        self._begun = False

    @property
    def room(self) -> int:
        """Bytes that the next fragment, or the next message, may have."""
        return self._weight.room

    def add(self, data: bytes, *, first: bool, last: bool) -> bytes | None:
        """The whole message, when this is the end of one.

        Raises:
            TooLarge: It is too much.
            InvalidFragment: It fits to nothing.
        """
        if first is self._begun:
            raise InvalidFragment
        if not self._weight.add(len(data), last=last):
            raise TooLarge
        self._begun = not last
        if first and last:
            return data
        self._data += data
        if not last:
            return None
        whole, self._data = bytes(self._data), bytearray()
        return whole
