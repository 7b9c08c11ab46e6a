"""Where the bytes of a download go: memory, a path, or a file of the caller's."""

from __future__ import annotations

import errno
import io
import os
import stat
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from poolse._checks import named
from poolse._files.steps import Aside, Steps
from poolse.errors import ArgumentTypeError, DownloadError, UsageError
from poolse.types import BinaryWriter

__all__ = ["InMemory", "IntoFile", "ToPath", "sink_for"]

BATCH: Final = 262_144
"""Bytes that are gathered before they are written: each write may take a thread."""

FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class InMemory:
    """Keeps the bytes, to return them."""

    repeatable = True

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    async def start(self) -> None:
        pass

    async def write(self, piece: bytes) -> None:
        self._pieces.append(piece)

    async def empty(self) -> None:
        self._pieces.clear()

    async def finish(self) -> bytes:
        return b"".join(self._pieces)

    def close(self) -> None:
        self._pieces.clear()


class _Gathering:
    """Gathers pieces, and hands them on in larger ones."""

    def __init__(self, where: str, aside: Aside) -> None:
        self._where = where
        self._gathered = bytearray()
        self._steps = Steps(aside)

    async def write(self, piece: bytes) -> None:
        self._gathered += piece
        if len(self._gathered) >= BATCH:
            await self._flush()

    async def _flush(self) -> None:
        data = bytes(self._gathered)
        self._gathered.clear()
        if data:
            await self._step(lambda: self._put(data))

    async def _step(self, step: Callable[[], object]) -> None:
        with self._told():
            await self._steps(step)

    @contextmanager
    def _told(self) -> Generator[None]:
        try:
            yield
        except OSError as error:
            why = "the disk is full" if error.errno in FULL else error.strerror or str(error)
            raise DownloadError(f"cannot write {self._where}: {why}") from error

    def _put(self, data: bytes) -> None:
        raise NotImplementedError


class ToPath(_Gathering):
    """Writes beside the path, and moves the file there when it is whole."""

    repeatable = True

    def __init__(self, path: str, aside: Aside) -> None:
        super().__init__(path, aside)
        # Through a link, so that the link stays what it is.
        self._path = Path(path).resolve()
        self._given = Path(path)
        self._part = self._path.with_name(f".poolse-{uuid.uuid4().hex}.part")
        self._file: io.FileIO
        self._begun = False
        self._done = False

    async def start(self) -> None:
        try:
            await self._steps(self._open)
        except OSError as error:
            why = error.strerror or str(error)
            raise UsageError(f"cannot write {self._where}: {why}") from error

    async def empty(self) -> None:
        self._gathered.clear()
        await self._step(lambda: self._file.seek(self._file.truncate(0)))

    async def finish(self) -> Path:
        await self._flush()
        await self._step(self._move)
        return self._given

    def close(self) -> None:
        if not self._done:
            # At once, since a step under way may take long; where it is not allowed, afterwards.
            with suppress(OSError):
                self._part.unlink()
        self._steps.end(self._discard)

    def _open(self) -> None:
        self._file = io.FileIO(self._part, "x")
        self._begun = True

    def _put(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]

    def _move(self) -> None:
        self._file.close()
        self._part.replace(self._path)
        self._done = True

    def _discard(self) -> None:
        if self._begun:
            self._file.close()
        if not self._done:
            with suppress(OSError):
                self._part.unlink()


class IntoFile(_Gathering):
    """Writes to a file of the caller's, from where it stands. It is not closed."""

    def __init__(self, file: BinaryWriter, aside: Aside) -> None:
        super().__init__("to the file", aside)
        self._file = file
        self._back = _back_of(file)
        self._written = 0
        self.repeatable = self._back is not None

    async def start(self) -> None:
        pass

    async def empty(self) -> None:
        self._gathered.clear()
        self._written = 0
        if self._back is not None:
            await self._step(self._back)

    async def finish(self) -> int:
        await self._flush()
        # What is left in its buffer may be what does not fit on the disk.
        flush = getattr(self._file, "flush", None)
        if callable(flush):
            await self._step(flush)
        return self._written

    def close(self) -> None:
        self._steps.end(lambda: None)

    def _put(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            taken = self._file.write(bytes(left))
            if taken == 0:
                raise OSError(errno.EIO, "the file takes nothing more")
            # A raw file may take a part only.
            left = left[taken if isinstance(taken, int) else len(left) :]
        self._written += len(data)


def sink_for(to: object, aside: Aside) -> InMemory | ToPath | IntoFile:
    """Where the bytes go.

    Raises:
        UsageError: They cannot go there.
    """
    if to is None:
        return InMemory()
    if isinstance(to, str | os.PathLike):
        path = os.fsdecode(to)  # pyright: ignore[reportUnknownArgumentType]
        _check_place(path)
        return ToPath(path, aside)
    if isinstance(to, BinaryWriter):
        if isinstance(to, io.TextIOBase):
            raise UsageError("to is a file in text mode: open it in binary mode, as 'wb'")
        if getattr(to, "closed", False):
            raise UsageError("to is a file that is closed already")
        return IntoFile(to, aside)
    raise ArgumentTypeError(f"to must be a path, a binary file or None, not {named(to)}")


def _check_place(path: str) -> None:
    try:
        found = os.stat(path).st_mode  # noqa: PTH116  (as it was given)
    except FileNotFoundError:
        if path.endswith(("/", os.sep)):
            raise UsageError(f"to={path!r} names no file") from None
        return
    except (OSError, ValueError) as error:
        raise UsageError(
            f"cannot write {path}: {getattr(error, 'strerror', None) or error}"
        ) from error
    if stat.S_ISDIR(found):
        raise UsageError(f"cannot write {path}: it is a folder; say how the file in it is called")
    if not stat.S_ISREG(found):
        raise UsageError(f"cannot replace {path}: it is no plain file; open it, and give the file")


def _back_of(file: BinaryWriter) -> Callable[[], object] | None:
    """What takes back all that is written from now on, if the file can do that."""
    tell, seek, truncate = (getattr(file, name, None) for name in ("tell", "seek", "truncate"))
    if not (callable(tell) and callable(seek) and callable(truncate)):
        return None
    try:
        start = tell()
        seek(start)
    except (OSError, ValueError):
        return None

    def back() -> None:
        seek(start)
        truncate()

    return back
