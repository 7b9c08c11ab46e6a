"""Where the bytes of a download go: memory, a path, or a file of the caller's."""

from __future__ import annotations

import errno
import io
import os
import re
import stat
import threading
import uuid
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, cast

from poolse._files.disk_threads import ASYNC_FILE, FileSteps, RunStep, run_inline
from poolse._files.download import Sink
from poolse._support.argument_checks import has_method, is_async, named
from poolse.errors import ArgumentTypeError, DownloadError, UsageError
from poolse.types import BinaryWriter

__all__ = ["open_sink"]

BATCH: Final = 262_144
"""Bytes that are buffered before they are written: each write may take a thread."""

READER_POLL: Final = 0.02
"""Seconds between two attempts to open a pipe without a reader."""

LINKS: Final = 40
"""How many links to follow, as the system does."""

OWN_DESCRIPTORS: Final = re.compile(r"/dev/fd|/proc/self(/task/\d+)?/fd")
"""Folders whose files are the descriptors of this process."""

FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class MemorySink:
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


class _FileSink:
    """Buffers pieces, and writes them to a file in larger ones."""

    repeatable = False

    def __init__(self, name: str, run_step: RunStep) -> None:
        self._name = name
        self._buffer = bytearray()
        self._steps = FileSteps(run_step)
        self._file: Any = None
        self._position = 0

    async def start(self) -> None:
        try:
            await self._steps(self._open)
        except OSError as error:
            why = error.strerror or str(error)
            raise UsageError(f"cannot write {self._name}: {why}") from error

    async def write(self, piece: bytes) -> None:
        self._buffer += piece
        if len(self._buffer) >= BATCH:
            await self._flush()

    async def empty(self) -> None:
        self._buffer.clear()
        with self._write_errors():
            await self._steps.call(self._file.seek, self._position)
            await self._steps.call(self._file.truncate)

    async def _flush(self) -> None:
        data = bytes(self._buffer)
        self._buffer.clear()
        with self._write_errors():
            while data:
                # It may take a part only.
                result = await self._steps.call(self._file.write, data)
                data = data[_written(self._file, result, len(data)) :]

    @contextmanager
    def _write_errors(self) -> Generator[None]:
        try:
            yield
        except OSError as error:
            why = "the disk is full" if error.errno in FULL else error.strerror or str(error)
            raise DownloadError(f"cannot write {self._name}: {why}") from error
        except UsageError:
            raise
        except ValueError as error:
            # It was closed meanwhile, or it is an mmap that is full.
            raise DownloadError(f"cannot write {self._name}: {error}") from error

    def _open(self) -> None:
        raise NotImplementedError


class PathSink(_FileSink):
    """Writes to a temporary file beside the path, and moves it there when it is complete."""

    repeatable = True

    def __init__(self, path: str, run_step: RunStep) -> None:
        super().__init__(path, run_step)
        self._path = Path(path)
        # Through a link, so that the link stays what it is.
        self._target = self._path.resolve()
        self._part = self._target.with_name(f".poolse-{uuid.uuid4().hex}.part")
        self._done = False

    async def finish(self) -> Path:
        await self._flush()
        with self._write_errors():
            await self._steps(self._move)
        return self._path

    def close(self) -> None:
        if not self._done:
            # At once, since a running step may take long; where it is not allowed, afterwards.
            with suppress(OSError):
                self._part.unlink()
        self._steps.end(self._discard)

    def _open(self) -> None:
        # What is to replace a file may be a secret from the first byte on, as that file is.
        mode = 0o600 if self._target.exists() else 0o666
        self._file = io.FileIO(
            self._part, "x", opener=lambda path, flags: os.open(path, flags, mode)
        )

    def _move(self) -> None:
        with suppress(FileNotFoundError):
            _copy_owner_and_mode(self._target.stat(), self._part)
        self._file.close()
        self._part.replace(self._target)
        self._done = True

    def _discard(self) -> None:
        if self._file is not None:
            self._file.close()
        if not self._done:
            with suppress(OSError):
                self._part.unlink()


class DeviceSink(_FileSink):
    """Writes to what is no plain file: a pipe, a terminal, /dev/stdout. It is not replaced."""

    def __init__(self, path: str, descriptor: int | None, run_step: RunStep) -> None:
        super().__init__(path, run_step)
        self._path = Path(path)
        self._descriptor = descriptor
        self._closing = threading.Event()

    async def finish(self) -> Path:
        await self._flush()
        return self._path

    def close(self) -> None:
        self._closing.set()
        self._steps.end(lambda: self._file and self._file.close())

    def _open(self) -> None:
        # Opened by its path, a descriptor would be written from the start of its file, over what
        # is there already.
        own = self._descriptor
        self._file = io.FileIO(self._open_path() if own is None else os.dup(own), "w")
        try:
            # One that is open for reading refuses even that.
            self._file.write(b"")
        except OSError as error:
            if error.errno == errno.EBADF:
                raise

    def _open_path(self) -> int:
        # Opening a pipe without a reader would block, and nothing could end that.
        no_wait: int = getattr(os, "O_NONBLOCK", 0)
        while True:
            try:
                descriptor = os.open(self._path, os.O_WRONLY | no_wait)
            except OSError as error:
                if error.errno != errno.ENXIO or not stat.S_ISFIFO(self._path.stat().st_mode):
                    raise
                if self._closing.wait(READER_POLL):
                    raise
            else:
                if no_wait:
                    os.set_blocking(descriptor, True)
                return descriptor


class OpenFileSink(_FileSink):
    """Writes to a caller's file, sync or async, from its position. It is not closed."""

    def __init__(self, file: Any, run_step: RunStep) -> None:  # noqa: ANN401  (whatever has a `write`)
        super().__init__("to the file", run_step)
        self._file = file
        self._loaded = 0

    async def start(self) -> None:
        await self._try()
        position = await self._steps.position(self._file)
        if position is not None and callable(getattr(self._file, "truncate", None)):
            self._position = position[0]
            self.repeatable = True

    async def write(self, piece: bytes) -> None:
        self._loaded += len(piece)
        await super().write(piece)

    async def empty(self) -> None:
        self._loaded = 0
        await super().empty()

    async def finish(self) -> int:
        await self._flush()
        # What is left in its buffer may be what does not fit on the disk.
        flush = getattr(self._file, "flush", None)
        if callable(flush):
            with self._write_errors():
                await self._steps.call(flush)
        return self._loaded

    def close(self) -> None:
        self._steps.end()

    async def _try(self) -> None:
        """Write nothing: a file in text mode refuses even that, and one for reading too."""
        try:
            await self._steps.call(self._file.write, b"")
        except io.UnsupportedOperation:
            raise UsageError("to is a file that is not open for writing") from None
        except TypeError as error:
            raise UsageError(
                f"to accepts no bytes (TypeError: {error}): open it in binary mode, as 'wb'"
            ) from error
        except OSError:
            # A full disk, say: it comes again with the first bytes, and then has its own error.
            pass


def open_sink(to: object, run_step: RunStep) -> Sink[bytes | Path | int]:
    """Return where the bytes go.

    Raises:
        UsageError: They cannot go there.
    """
    if to is None:
        return MemorySink()
    if isinstance(to, str | os.PathLike):
        return _path_sink(os.fsdecode(to), run_step)  # pyright: ignore[reportUnknownArgumentType]
    if has_method(to, "write"):
        file = cast("BinaryWriter", to)
        if isinstance(to, io.TextIOBase):
            raise UsageError("to is a file in text mode: open it in binary mode, as 'wb'")
        if getattr(to, "closed", False) is True:
            raise UsageError("to is a closed file")
        if run_step is run_inline and is_async(file.write):
            raise UsageError(f"to is an async file, and nothing here awaits it: {ASYNC_FILE}")
        return OpenFileSink(file, run_step)
    raise ArgumentTypeError(f"to must be a path, a binary file or None, not {named(to)}")


def _path_sink(path: str, run_step: RunStep) -> PathSink | DeviceSink:
    if not path or path.endswith(("/", os.sep)):
        raise UsageError(f"to={path!r} is not the name of a file")
    descriptor = _descriptor_of(path)
    if descriptor is not None:
        return DeviceSink(path, descriptor, run_step)
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116  (as it was given)
    except FileNotFoundError:
        return PathSink(path, run_step)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"cannot write {path}: {getattr(error, 'strerror', None) or error}"
        ) from error
    if stat.S_ISDIR(mode):
        raise UsageError(f"cannot write {path}: it is a folder; add a file name")
    if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
        return DeviceSink(path, None, run_step)
    if not stat.S_ISREG(mode):
        raise UsageError(
            f"cannot replace {path}: it is not a regular file; open it and pass the file"
        )
    return PathSink(path, run_step)


def _descriptor_of(path: str) -> int | None:
    """Return the descriptor of this process that a path stands for, as /dev/stdout does.

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


def _copy_owner_and_mode(old: os.stat_result, part: Path) -> None:
    """Give the new file the owner and the mode of the one that it replaces."""
    new = part.stat()
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        # Few may give files away. A group that one belongs to is kept where the owner cannot be.
        for owner in (old.st_uid, -1):
            with suppress(OSError, AttributeError):
                os.chown(part, owner, old.st_gid)
                break
    part.chmod(stat.S_IMODE(old.st_mode))


def _written(file: object, result: object, size: int) -> int:
    """Return how many bytes a `write` took, by what it returned."""
    if result is None and isinstance(file, io.RawIOBase):
        raise OSError(errno.EAGAIN, "it is non-blocking, and full")
    # Anything but a number says nothing, as in a `write` without `return`: then it took all.
    if not isinstance(result, int) or isinstance(result, bool):
        return size
    if result <= 0:
        raise OSError(errno.EIO, "the file accepts no more bytes")
    return result
