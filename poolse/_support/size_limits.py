"""Default limits of what is read from a server."""

from __future__ import annotations

from typing import Final

__all__ = ["MAX_FRAME", "MAX_RESPONSE"]

MAX_RESPONSE: Final = 16 * 2**20
"""Bytes of a response, decompressed. Parsed, they may take thirty times that."""

MAX_FRAME: Final = 16 * 2**20
"""Bytes of a message on the socket."""
