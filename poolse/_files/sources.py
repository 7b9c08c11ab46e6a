"""Where the bytes of an upload come from: memory, an iterable, a path or an open file."""

from __future__ import annotations

import io
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any, Final, cast

from poolse._files.disk_threads import FileSteps, RunStep
from poolse._support.argument_checks import named
from poolse.errors import ArgumentTypeError, UsageError

__all__ = ["OpenFile", "PathFile", "Pieces", "each", "slices", "unreadable"]

SMALLEST: Final = 65_536
LARGEST: Final = 1_048_576


def piece_size(size: int) -> int:
    """Return how many bytes to read at a time: enough steps to show progress by, not more."""
    return min(max(SMALLEST, size // 100), LARGEST)


def slices(data: memoryview) -> Iterator[bytes]:
    """Yield the bytes in memory, in pieces."""
    size = piece_size(len(data))
    return (bytes(data[start : start + size]) for start in range(0, len(data), size))


async def each(pieces: Iterable[object]) -> AsyncIterator[object]:
    """Iterate over what needs no waiting."""
    for piece in pieces:
        yield piece


class Pieces:
    """An iterable of bytes, sync or async."""

    def __init__(
        self, pieces: Callable[[], AsyncIterator[object]], size: int, *, repeatable: bool
    ) -> None:
        self.size = size
        self.repeatable = repeatable
        self._pieces = pieces
        self._left: AsyncIterator[object]

    async def start(self) -> None:
        self._left = self._pieces()

    async def read(self) -> bytes:
        async for piece in self._left:
            if checked := checked_piece(piece, "the iterable yields"):
                return checked
        return b""

    def close(self) -> None:
        pass


class OpenFile:
    """A caller's file, sync or async, from its position. It is not closed.

    Whether it returns bytes or text shows only when it is read. So the first piece is read by
    `start`, before anything is sent.
    """

    def __init__(
        self,
        file: Any,  # noqa: ANN401  (whatever has a `read`)
        size: int,
        position: int | None,
        steps: FileSteps,
    ) -> None:
        """Take the file; its `position` is None if it cannot seek."""
        self.size = size
        self.repeatable = position is not None
        self._first: bytes | None = None
        self._file = file
        self._position = position
        self._begun = False
        self._steps = steps

    async def start(self) -> None:
        if self._begun and self._position is not None:
            await self._steps.call(self._file.seek, self._position)
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
                f"body is not a binary file: body.read(size) raised TypeError: {error}"
            ) from error

    async def read(self) -> bytes:
        first, self._first = self._first, None
        return await self._next() if first is None else first

    def close(self) -> None:
        self._first = None
        self._steps.end()

    async def _next(self) -> bytes:
        piece = await self._steps.call(self._file.read, piece_size(self.size))
        if piece is None:
            raise UsageError("body is a non-blocking file that has nothing to read yet")
        return checked_piece(piece, "the file returns")


class PathFile:
    """A file by its path. It is opened for each attempt."""

    def __init__(self, path: str, size: int, *, repeatable: bool, run_step: RunStep) -> None:
        self.size = size
        self.repeatable = repeatable
        self._path = path
        self._file = -1
        self._steps = FileSteps(run_step)

    async def start(self) -> None:
        await self._step(self._open)

    async def read(self) -> bytes:
        piece: bytes = await self._step(lambda: os.read(self._file, piece_size(self.size)))
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


def checked_piece(piece: object, what: str) -> bytes:
    """Return the piece, if it is bytes."""
    if isinstance(piece, bytes):
        return piece
    if isinstance(piece, str):
        raise ArgumentTypeError(
            f"body must yield bytes, but {what} str: open it in binary mode, or encode it"
        )
    try:
        return memoryview(cast("Any", piece)).tobytes()
    except TypeError:
        raise ArgumentTypeError(f"body must yield bytes, but {what} {named(piece)}") from None


def unreadable(path: str, error: OSError | ValueError) -> UsageError:
    """Return the error for a file that cannot be read."""
    return UsageError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}")
