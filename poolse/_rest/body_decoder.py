"""The body of an answer, put together from its pieces: unpacked, and never more than a limit.

A server may lie about lengths, and a kilobyte of packed zeros is a megabyte.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Final

from poolse.errors import DecodeError

__all__ = ["ENCODINGS", "BodyDecoder"]

ENCODINGS: Final = "gzip, deflate"
"""What is asked for: it can be unpacked piece by piece, and so that it stops at a limit."""

WINDOWS: Final[Mapping[str, int]] = {
    "gzip": zlib.MAX_WBITS | 16,
    "x-gzip": zlib.MAX_WBITS | 16,
    "deflate": zlib.MAX_WBITS,
}
"""What zlib has to be told of each encoding."""


class BodyDecoder:
    """Takes the pieces as they come.

    All of it raises DecodeError when there is more than `limit`, packed or unpacked, or when it is
    packed in a way that nobody asked for; and `zlib.error` when it is not packed as it says.
    """

    def __init__(self, status: int, headers: Mapping[str, str], limit: int) -> None:
        self._status = status
        self._limit = limit
        self._left = self._packed_left = limit
        self._pieces: list[bytes] = []
        length = headers.get("content-length", "")
        if length.isdecimal() and (len(length) > 18 or int(length) > limit):
            # Its first byte is one too many. An answer to HEAD has none.
            self._packed_left = 0
        coding = headers.get("content-encoding", "identity").strip().lower()
        self._packing = None if coding in ("", "identity") else self._packing_of(coding)

    def takes(self, piece: bytes) -> None:
        """The next piece, as it came."""
        self._packed_left -= len(piece)
        if self._packed_left < 0:
            raise self._too_large()
        if self._packing is not None:
            # One more than may come, so that it shows when there is more.
            piece = self._packing.unpack(piece, self._left + 1)
        self._left -= len(piece)
        if self._left < 0:
            raise self._too_large()
        self._pieces.append(piece)

    def finish(self) -> bytes:
        """All of them together."""
        if self._packing is not None:
            self._packing.finish()
        return b"".join(self._pieces)

    def _packing_of(self, coding: str) -> _Decompressor:
        if coding in WINDOWS:
            return _Decompressor(WINDOWS[coding])
        raise DecodeError(f"the answer (HTTP {self._status}) is packed, but not as {ENCODINGS}")

    def _too_large(self) -> DecodeError:
        # Whoever keeps the error keeps this object, but needs none of it.
        self._pieces.clear()
        return DecodeError(
            f"the answer (HTTP {self._status}) has more than {self._limit} bytes: "
            "if it should, raise max_response_bytes of the client"
        )


class _Decompressor:
    """What is left to unpack."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._zlib = zlib.decompressobj(window)
        self._begun = False

    def unpack(self, piece: bytes, most: int) -> bytes:
        """What the piece holds, or as much of it as is asked for."""
        first, self._begun = not self._begun, self._begun or bool(piece)
        try:
            return self._zlib.decompress(piece, most)
        except zlib.error:
            if not first or self._window != zlib.MAX_WBITS:
                raise
            # Some servers call that deflate which lies below it.
            self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)
            return self._zlib.decompress(piece, most)

    def finish(self) -> None:
        """Nothing must be missing. An answer without a body has nothing packed either."""
        if self._begun and not self._zlib.eof:
            raise zlib.error("cut short")
