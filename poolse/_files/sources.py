"""Where the bytes of an upload come from: memory, a file, or whatever gives pieces."""

from __future__ import annotations

import io
import os
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Sequence,
)
from typing import Any, Final, cast

from poolse._files.disk_threads import Aside, Steps
from poolse._support.argument_checks import named
from poolse.errors import ArgumentTypeError, UsageError

__all__ = ["AsyncPieces", "Memory", "OpenFile", "PathFile", "Pieces", "unreadable"]

SMALLEST: Final = 65_536
LARGEST: Final = 1_048_576


def piece_of(size: int) -> int:
    """Bytes to read at a time: enough steps to show progress by, but no more than that."""
    return min(max(SMALLEST, size // 100), LARGEST)


class Memory:
    """Bytes that are there already."""

    repeatable = True

    def __init__(self, data: memoryview) -> None:
        self._view = _flat(data)
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


def _flat(data: memoryview) -> memoryview:
    """The bytes of any array, one after the other."""
    try:
        return data.cast("B")
    except (TypeError, ValueError):
        # With gaps in it, empty, or of a format that `cast` does not know.
        return memoryview(data.tobytes())


class OpenFile:
    """A file of the caller's, sync or async, from where it stands. It is not closed.

    What it gives, bytes or text, shows only when it is read. So its first piece is read when it
    starts, which is before anything is sent.
    """

    def __init__(
        self,
        file: Any,  # noqa: ANN401  (whatever has a `read`)
        size: int,
        back: Callable[[], Awaitable[object]] | None,
        steps: Steps,
    ) -> None:
        self.size = size
        self.repeatable = back is not None
        self._first: bytes | None = None
        self._file = file
        self._back = back
        self._begun = False
        self._steps = steps

    async def start(self) -> None:
        if self._begun and self._back is not None:
            await self._back()
        self._begun = True
        try:
            self._first = await self._next()
        except UsageError:
            raise
        except io.UnsupportedOperation:
            raise UsageError("body is a file that is not open for reading") from None
        except TypeError as error:
            # Its `read` takes no size, say.
            raise ArgumentTypeError(
                f"body is no binary file: body.read(size) raised TypeError: {error}"
            ) from error

    async def read(self) -> bytes:
        first, self._first = self._first, None
        return await self._next() if first is None else first

    def close(self) -> None:
        self._first = None
        self._steps.end(lambda: None)

    async def _next(self) -> bytes:
        piece = await self._steps.call(self._file.read, piece_of(self.size))
        if piece is None:
            raise UsageError("body is a non-blocking file that has nothing to read yet")
        return checked_piece(piece, "the file gives")


class PathFile:
    """A file by its path. It is opened for each attempt."""

    def __init__(self, path: str, size: int, *, repeatable: bool, aside: Aside) -> None:
        self.size = size
        self.repeatable = repeatable
        self._path = path
        self._file = -1
        self._steps = Steps(aside)

    async def start(self) -> None:
        await self._step(self._open)

    async def read(self) -> bytes:
        piece: bytes = await self._step(lambda: os.read(self._file, piece_of(self.size)))
        return piece

    def close(self) -> None:
        self._steps.end(self._close)

    async def _step(self, step: Callable[[], Any]) -> Any:  # noqa: ANN401
        try:
            return await self._steps(step)
        except OSError as error:
            raise unreadable(self._path, error) from error

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
    if isinstance(piece, str):
        raise ArgumentTypeError(
            f"body must be of bytes, but {what} str: open it in binary mode, or encode it"
        )
    try:
        return memoryview(cast("Any", piece)).tobytes()
    except TypeError:
        raise ArgumentTypeError(f"body must be of bytes, but {what} {named(piece)}") from None


def unreadable(path: str, error: OSError | ValueError) -> UsageError:
    """What is said of a file that cannot be uploaded."""
    return UsageError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}")
