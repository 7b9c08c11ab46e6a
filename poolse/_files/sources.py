"""Where the bytes of an upload come from: memory, a file, or whatever gives pieces."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import Final, cast

from poolse._checks import named
from poolse._files.steps import Aside, Steps
from poolse.errors import ArgumentTypeError, UsageError
from poolse.types import BinaryReader

__all__ = ["AsyncPieces", "Memory", "OpenFile", "PathFile", "Pieces"]

SMALLEST: Final = 65_536
LARGEST: Final = 1_048_576


def piece_of(size: int) -> int:
    """Bytes to read at a time: enough steps to show progress by, but no more than that."""
    return min(max(SMALLEST, size // 100), LARGEST)


class Memory:
    """Bytes that are there already."""

    repeatable = True

    def __init__(self, data: memoryview) -> None:
        self._view = data.cast("B") if data.c_contiguous else memoryview(data.tobytes())
        self._at = 0
        self.size = len(self._view)

    async def start(self) -> None:
        self._at = 0

    async def read(self) -> bytes:
        piece = bytes(self._view[self._at : self._at + piece_of(self.size)])
        self._at += len(piece)
        return piece

    def close(self) -> None:
        pass


class OpenFile:
    """A file of the caller's, from where it stands. It is not closed."""

    def __init__(
        self, file: BinaryReader, size: int, back: Callable[[], object] | None, aside: Aside
    ) -> None:
        self.size = size
        self.repeatable = back is not None
        self._file = file
        self._back = back
        self._begun = False
        self._steps = Steps(aside)

    async def start(self) -> None:
        if self._begun and self._back is not None:
            await self._steps(self._back)
        self._begun = True

    async def read(self) -> bytes:
        return checked_piece(
            await self._steps(lambda: self._file.read(piece_of(self.size))), "the file gives"
        )

    def close(self) -> None:
        self._steps.end(lambda: None)


class PathFile:
    """A file by its path. It is opened for each attempt."""

    def __init__(self, path: str, size: int, *, repeatable: bool, aside: Aside) -> None:
        self.size = size
        self.repeatable = repeatable
        self._path = path
        self._file = -1
        self._steps = Steps(aside)

    async def start(self) -> None:
        try:
            await self._steps(self._open)
        except OSError as error:
            raise unreadable(self._path, error) from error

    async def read(self) -> bytes:
        return await self._steps(lambda: os.read(self._file, piece_of(self.size)))

    def close(self) -> None:
        self._steps.end(self._close)

    def _open(self) -> None:
        self._close()
        self._file = os.open(self._path, os.O_RDONLY | getattr(os, "O_BINARY", 0))

    def _close(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)


class Pieces:
    """An iterable of bytes. Only a sequence can be iterated again."""

    def __init__(self, body: Iterable[object], size: int) -> None:
        self.size = size
        self.repeatable = isinstance(body, Sequence)
        self._body = body
        self._left: Iterator[object] = iter(())

    async def start(self) -> None:
        self._left = iter(self._body)

    async def read(self) -> bytes:
        for piece in self._left:
            if checked := checked_piece(piece, "the iterable gives"):
                return checked
        return b""

    def close(self) -> None:
        pass


class AsyncPieces:
    """An async iterable of bytes."""

    repeatable = False

    def __init__(self, body: AsyncIterable[object], size: int) -> None:
        self.size = size
        self._body = body
        self._left: AsyncIterator[object]

    async def start(self) -> None:
        self._left = aiter(self._body)

    async def read(self) -> bytes:
        while True:
            try:
                piece = await anext(self._left)
            except StopAsyncIteration:
                return b""
            if checked := checked_piece(piece, "the iterable gives"):
                return checked

    def close(self) -> None:
        pass


def checked_piece(piece: object, what: str) -> bytes:
    """The piece, if it is bytes."""
    if isinstance(piece, bytes):
        return piece
    if isinstance(piece, bytearray):
        return bytes(piece)
    if isinstance(piece, memoryview):
        return cast("memoryview[int]", piece).tobytes()
    hint = ": open it in binary mode, or encode it" if isinstance(piece, str) else ""
    raise ArgumentTypeError(f"body must be of bytes, but {what} {named(piece)}{hint}")


def unreadable(path: str, error: OSError | ValueError) -> UsageError:
    """What is said of a file that cannot be uploaded."""
    return UsageError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}")
