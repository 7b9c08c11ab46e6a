"""How much is taken of a server that does not stop, unless the caller says otherwise."""

from __future__ import annotations

from typing import Final

__all__ = ["MAX_FRAME", "MAX_RESPONSE"]

MAX_RESPONSE: Final = 16 * 2**20
"""Bytes of an answer, unpacked. Parsed, they may take thirty times that."""

MAX_FRAME: Final = 16 * 2**20
"""Bytes of a message on the socket."""
