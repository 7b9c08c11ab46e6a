"""Where the bytes of a download go: memory, a path, or a file of the caller's."""

from __future__ import annotations

import errno
import io
import os
import re
import stat
import threading
import uuid
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from poolse._files.disk_threads import ASYNC_FILE, Aside, Steps, at_once
from poolse._support.argument_checks import is_async, named
from poolse.errors import ArgumentTypeError, DownloadError, UsageError
from poolse.types import BinaryWriter

__all__ = ["InMemory", "IntoFile", "ToDevice", "ToPath", "sink_for"]

BATCH: Final = 262_144
"""Bytes that are gathered before they are written: each write may take a thread."""

READER_POLL: Final = 0.02
"""Seconds between two looks at a pipe that nobody reads yet."""

LINKS: Final = 40
"""How many links to follow, as the system does."""

OWN_DESCRIPTORS: Final = re.compile(r"/dev/fd|/proc/self(/task/\d+)?/fd")
"""Folders whose files are the descriptors of this process."""

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
            with self._told():
                await self._put(data)

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
        except UsageError:
            raise
        except ValueError as error:
            # It was closed meanwhile, or it is an mmap that is full.
            raise DownloadError(f"cannot write {self._where}: {error}") from error

    @contextmanager
    def _refused(self) -> Generator[None]:
        """What goes wrong before anything is sent."""
        try:
            yield
        except OSError as error:
            why = error.strerror or str(error)
            raise UsageError(f"cannot write {self._where}: {why}") from error

    async def _put(self, data: bytes) -> None:
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
        with self._refused():
            await self._steps(self._open)

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

    async def _put(self, data: bytes) -> None:
        await self._steps(lambda: _write_all(self._file, data))

    def _open(self) -> None:
        # What is to replace a file may be a secret from the first byte on, as that file is.
        mode = 0o600 if self._path.exists() else 0o666
        self._file = io.FileIO(
            self._part, "x", opener=lambda path, flags: os.open(path, flags, mode)
        )
        self._begun = True

    def _move(self) -> None:
        with suppress(FileNotFoundError):
            _take_over(self._path.stat(), self._part)
        self._file.close()
        self._part.replace(self._path)
        self._done = True

    def _discard(self) -> None:
        if self._begun:
            self._file.close()
        if not self._done:
            with suppress(OSError):
                self._part.unlink()


class ToDevice(_Gathering):
    """Writes to what is no plain file: a pipe, a terminal, /dev/stdout. It is not replaced."""

    repeatable = False

    def __init__(self, path: str, descriptor: int | None, aside: Aside) -> None:
        super().__init__(path, aside)
        self._given = Path(path)
        self._descriptor = descriptor
        self._file: io.FileIO | None = None
        self._left = threading.Event()

    async def start(self) -> None:
        with self._refused():
            await self._steps(self._open)

    async def empty(self) -> None:
        """Never asked for: it cannot be."""

    async def finish(self) -> Path:
        await self._flush()
        return self._given

    def close(self) -> None:
        self._left.set()
        self._steps.end(self._close)

    async def _put(self, data: bytes) -> None:
        await self._steps(lambda: _write_all(self._file, data))

    def _open(self) -> None:
        if self._descriptor is not None:
            # Opened anew it would be written from its start, over what is there already.
            self._file = io.FileIO(os.dup(self._descriptor), "w")
        else:
            self._file = io.FileIO(self._path_opened(), "w")
        try:
            # One that is open for reading refuses even that.
            self._file.write(b"")
        except OSError as error:
            if error.errno == errno.EBADF:
                raise

    def _path_opened(self) -> int:
        # A pipe that nobody reads yet would block, and then nothing could end that.
        no_wait: int = getattr(os, "O_NONBLOCK", 0)
        while True:
            try:
                opened = os.open(self._given, os.O_WRONLY | no_wait)
            except OSError as error:
                if error.errno != errno.ENXIO or not stat.S_ISFIFO(self._given.stat().st_mode):
                    raise
                if self._left.wait(READER_POLL):
                    raise
            else:
                if no_wait:
                    os.set_blocking(opened, True)
                return opened

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()


class IntoFile(_Gathering):
    """Writes to a file of the caller's, sync or async, from where it stands. It is not closed."""

    repeatable = False

    def __init__(self, file: Any, aside: Aside) -> None:  # noqa: ANN401  (whatever has a `write`)
        super().__init__("to the file", aside)
        self._file = file
        self._back: Callable[[], Awaitable[object]] | None = None
        self._written = 0

    async def start(self) -> None:
        await self._try()
        self._back = await self._back_of()
        self.repeatable = self._back is not None

    async def empty(self) -> None:
        self._gathered.clear()
        self._written = 0
        if self._back is not None:
            with self._told():
                await self._back()

    async def finish(self) -> int:
        await self._flush()
        # What is left in its buffer may be what does not fit on the disk.
        flush = getattr(self._file, "flush", None)
        if callable(flush):
            with self._told():
                await self._steps.call(flush)
        return self._written

    def close(self) -> None:
        self._steps.end(lambda: None)

    async def _try(self) -> None:
        """Write nothing: a file in text mode refuses even that, and one for reading too."""
        try:
            await self._steps.call(self._file.write, b"")
        except io.UnsupportedOperation:
            raise UsageError("to is a file that is not open for writing") from None
        except TypeError as error:
            raise UsageError(
                f"to takes no bytes (TypeError: {error}): open it in binary mode, as 'wb'"
            ) from error
        except OSError:
            # A full disk, say: it comes again with the first bytes, and then has its own error.
            pass

    async def _put(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            taken = await self._steps.call(self._file.write, bytes(left))
            left = left[_count(self._file, taken, len(left)) :]
        self._written += len(data)

    async def _back_of(self) -> Callable[[], Awaitable[object]] | None:
        """What takes back all that is written from now on, if the file can do that."""
        file, call = self._file, self._steps.call
        tell, seek, truncate = (getattr(file, name, None) for name in ("tell", "seek", "truncate"))
        if not (callable(tell) and callable(seek) and callable(truncate)):
            return None
        try:
            start = await call(tell)
            await call(seek, start)
        except UsageError:
            raise
        except (OSError, TypeError, ValueError):
            return None

        async def back() -> None:
            await call(seek, start)
            await call(truncate)

        return back


def sink_for(to: object, aside: Aside) -> InMemory | ToPath | ToDevice | IntoFile:
    """Where the bytes go.

    Raises:
        UsageError: They cannot go there.
    """
    if to is None:
        return InMemory()
    if isinstance(to, str | os.PathLike):
        return _at(os.fsdecode(to), aside)  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(to, BinaryWriter) and not isinstance(to, type):
        if isinstance(to, io.TextIOBase):
            raise UsageError("to is a file in text mode: open it in binary mode, as 'wb'")
        if getattr(to, "closed", False) is True:
            raise UsageError("to is a file that is closed already")
        if aside is at_once and is_async(to.write):
            raise UsageError(f"to is an async file, and nothing here awaits it: {ASYNC_FILE}")
        return IntoFile(to, aside)
    raise ArgumentTypeError(f"to must be a path, a binary file or None, not {named(to)}")


def _at(path: str, aside: Aside) -> ToPath | ToDevice:
    if not path or path.endswith(("/", os.sep)):
        raise UsageError(f"to={path!r} names no file")
    descriptor = _descriptor_of(path)
    if descriptor is not None:
        return ToDevice(path, descriptor, aside)
    try:
        found = os.stat(path).st_mode  # noqa: PTH116  (as it was given)
    except FileNotFoundError:
        return ToPath(path, aside)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"cannot write {path}: {getattr(error, 'strerror', None) or error}"
        ) from error
    if stat.S_ISDIR(found):
        raise UsageError(f"cannot write {path}: it is a folder; say how the file in it is called")
    if stat.S_ISFIFO(found) or stat.S_ISCHR(found):
        return ToDevice(path, None, aside)
    if not stat.S_ISREG(found):
        raise UsageError(f"cannot replace {path}: it is no plain file; open it, and give the file")
    return ToPath(path, aside)


def _descriptor_of(path: str) -> int | None:
    """The descriptor of this process that a path stands for, as /dev/stdout does.

    It may lead to a plain file, where the output was redirected to: that is not to be replaced.
    """
    current = Path(path)
    for _ in range(LINKS):
        folder = os.path.realpath(current.parent)
        if current.name.isdecimal() and OWN_DESCRIPTORS.fullmatch(
            folder.replace(f"/{os.getpid()}/", "/self/", 1)
        ):
            return int(current.name)
        current = Path(folder, current.name)
        try:
            current = Path(folder, current.readlink())
        except (OSError, ValueError):
            return None
    return None


def _take_over(there: os.stat_result, part: Path) -> None:
    """Give the new file the owner and the mode of the one that it is to replace."""
    own = part.stat()
    if (there.st_uid, there.st_gid) != (own.st_uid, own.st_gid):
        # Few may give files away. A group that one belongs to is kept where the owner cannot be.
        for owner in (there.st_uid, -1):
            with suppress(OSError, AttributeError):
                os.chown(part, owner, there.st_gid)
                break
    part.chmod(stat.S_IMODE(there.st_mode))


def _write_all(file: io.FileIO | None, data: bytes) -> None:
    left = memoryview(data)
    while left and file is not None:
        # It may take a part only.
        left = left[_count(file, file.write(left), len(left)) :]


def _count(file: object, taken: object, given: int) -> int:
    """How many bytes a `write` took, by what it returned."""
    if taken is None and isinstance(file, io.RawIOBase):
        raise OSError(errno.EAGAIN, "it is non-blocking, and full")
    # Whatever is no number says nothing, as in a `write` without `return`: then it took all.
    if not isinstance(taken, int) or isinstance(taken, bool):
        return given
    if taken <= 0:
        raise OSError(errno.EIO, "the file takes nothing more")
    return taken
