"""What a caller gave to upload, with its size, name and type worked out."""

from __future__ import annotations

import io
import mimetypes
import os
import re
import stat
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, cast

from poolse._files.disk_threads import ASYNC_FILE, Aside, Steps, at_once
from poolse._files.file_names import is_file, name_of
from poolse._files.sources import AsyncPieces, Memory, OpenFile, PathFile, Pieces, unreadable
from poolse._files.transfer_progress import Source
from poolse._files.upload import File
from poolse._support.argument_checks import checked_count, checked_text, is_async, named
from poolse.errors import ArgumentTypeError, UsageError
from poolse.types import UNSET, AsyncUploadBody, Unset, UploadPaths

__all__ = ["file_of", "files_of"]

TEXT: Final = "text/plain; charset=utf-8"
ANYTHING: Final = "application/octet-stream"
PACKED: Final = {
    "br": ANYTHING,
    "bzip2": "application/x-bzip2",
    "gzip": "application/gzip",
    "xz": "application/x-xz",
}

# Without the files of this machine, so that a file has the same type wherever it is sent from.
TYPES: Final = mimetypes.MimeTypes(filenames=())

MEDIA_TYPE: Final = re.compile(r"[\w.+-]+/[\w.+-]+(;[\x20-\x7e]*)?", re.ASCII)

WANTED: Final = "a path (os.PathLike), bytes, a str, a binary file or an iterable of bytes"


async def file_of(
    body: AsyncUploadBody,
    content_type: str | Unset,
    byte_size: int | Unset,
    filename: str | Unset,
    aside: Aside,
) -> File:
    """What can be sent.

    Raises:
        UsageError: It cannot be uploaded, is not as long as the caller says, or does not tell how
            long it is.
    """
    declared = None if byte_size is UNSET else checked_count("byte_size", byte_size)
    for name, value in (("content_type", content_type), ("filename", filename)):
        if value is not UNSET:
            checked_text(name, value)
    source = await _source_of(body, declared, aside)
    if declared is not None and source.size != declared:
        raise UsageError(f"byte_size says {declared}, but the body has {source.size} bytes")
    called = name_of(body) if filename is UNSET else filename
    kind = _type_of(called, body) if content_type is UNSET else content_type
    return File(source, kind, _unicode(called))


async def files_of(
    paths: UploadPaths, filenames: Sequence[str | None] | None, aside: Aside
) -> list[File | UsageError]:
    """What can be sent of several paths, and what is wrong with the others.

    Raises:
        ArgumentTypeError: They are no paths, or their names no names.
        UsageError: There are more or fewer names than paths.
    """
    if isinstance(paths, str | bytes | os.PathLike) or not isinstance(paths, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ArgumentTypeError(f"paths must be a list of paths, not {named(paths)}")
    given = list(paths)
    for path in cast("list[object]", given):
        if not isinstance(path, os.PathLike):
            hint = ": make it a pathlib.Path" if isinstance(path, str) else ""
            raise ArgumentTypeError(f"paths must be of os.PathLike, not {named(path)}{hint}")
    names = _checked_names(filenames, len(given))
    return [
        await _file_or_error(path, name, aside) for path, name in zip(given, names, strict=True)
    ]


def _checked_names(filenames: object, count: int) -> list[str | Unset]:
    if filenames is None:
        return [UNSET] * count
    if isinstance(filenames, str | bytes) or not isinstance(filenames, Iterable):
        raise ArgumentTypeError(f"filenames must be a list of str, not {named(filenames)}")
    names = list(cast("Iterable[object]", filenames))
    if len(names) != count:
        raise UsageError(f"filenames has {len(names)} names for {count} paths")
    return [UNSET if name is None else checked_text("a name of filenames", name) for name in names]


async def _file_or_error(
    path: os.PathLike[str], name: str | Unset, aside: Aside
) -> File | UsageError:
    try:
        return await file_of(path, UNSET, UNSET, name, aside)
    except UsageError as error:
        return error


async def _source_of(body: AsyncUploadBody, declared: int | None, aside: Aside) -> Source:
    if isinstance(body, str):
        return Memory(memoryview(_encoded(body)))
    if isinstance(body, os.PathLike):
        return _path_file(os.fsdecode(body), declared, aside)
    if is_file(body):
        return await _open_file(body, declared, aside)
    data = _buffer(body)
    if data is not None:
        return Memory(data)
    if isinstance(body, Iterable):
        return Pieces(body, _needed(declared, "an iterable"))
    return _other(body, declared, aside)


def _buffer(body: object) -> memoryview | None:
    """What it holds as bytes: those of an array, an mmap or a memoryview too."""
    try:
        return memoryview(cast("Any", body))
    except TypeError:
        return None
    except ValueError as error:
        raise UsageError(f"body cannot be read any more: {error}") from None


def _other(body: object, declared: int | None, aside: Aside) -> Source:
    given = named(body)
    pieces = cast("AsyncIterable[object]", body) if isinstance(body, AsyncIterable) else None
    if pieces is not None and aside is not at_once:
        return AsyncPieces(pieces, _needed(declared, "an iterable"))
    hint = ": the async client takes that too" if pieces is not None else ""
    raise ArgumentTypeError(f"body must be {WANTED}, not {given}{hint}")


def _path_file(path: str, declared: int | None, aside: Aside) -> PathFile:
    try:
        found = os.stat(path)  # noqa: PTH116  (as it was given)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
    if stat.S_ISDIR(found.st_mode):
        raise UsageError(f"cannot read {path}: it is a folder; upload the files in it")
    if stat.S_ISREG(found.st_mode):
        return PathFile(path, found.st_size, repeatable=True, aside=aside)
    size = _needed(declared, "a pipe or device")
    return PathFile(path, size, repeatable=False, aside=aside)


async def _open_file(body: Any, declared: int | None, aside: Aside) -> OpenFile:  # noqa: ANN401
    if isinstance(body, io.TextIOBase):
        raise UsageError("body is a file in text mode: open it in binary mode, as 'rb'")
    if getattr(body, "closed", False) is True:
        raise UsageError("body is a file that is closed already")
    if isinstance(body, io.IOBase) and not body.readable():
        raise UsageError("body is a file that is not open for reading")
    file = body
    if is_async(body.read):
        if aside is at_once:
            raise UsageError(f"body is an async file, and nothing here awaits it: {ASYNC_FILE}")
        # Starlette's UploadFile does not know where it stands. The file in it does.
        inner: Any = getattr(body, "file", None)
        if not hasattr(body, "tell") and is_file(inner) and not is_async(inner.read):
            file = inner
    steps = Steps(aside)
    measured = await _measured(file, steps)
    if measured is None:
        return OpenFile(file, _needed(declared, "a file that cannot seek"), None, steps)
    size, back = measured
    return OpenFile(file, size, back, steps)


async def _measured(
    file: object, steps: Steps
) -> tuple[int, Callable[[], Awaitable[object]]] | None:
    """How much there is from where the file stands, and what brings it back there, if it can."""
    tell: Any = getattr(file, "tell", None)
    seek: Any = getattr(file, "seek", None)
    if not (callable(tell) and callable(seek)):
        return None
    try:
        start: object = await steps.call(tell)
        await steps.call(seek, 0, os.SEEK_END)
        # What `seek` returns is None for some: an mmap, or a file of tempfile's.
        end: object = await steps.call(tell)
        await steps.call(seek, start)
    except UsageError:
        raise
    except (OSError, TypeError, ValueError):
        return None
    if not (isinstance(start, int) and isinstance(end, int)):
        return None
    # It may stand past its end, where nothing is read.
    return max(0, end - start), lambda: steps.call(seek, start)


def _needed(declared: int | None, what: str) -> int:
    if declared is None:
        raise UsageError(f"{what} does not say how long it is: give byte_size too")
    return declared


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise UsageError("body has half a character (a lone surrogate)") from None


def _unicode(name: str | Unset) -> str | Unset:
    try:
        return name if name is UNSET else name.encode().decode()
    except UnicodeEncodeError:
        raise UsageError(
            "the name of the file is no Unicode text: say what to call it, with filename="
        ) from None


def _type_of(name: str | Unset, body: object) -> str:
    # Frameworks say it of the files that they were sent: `UploadFile.content_type`.
    declared = getattr(body, "content_type", None) if is_file(body) else None
    if isinstance(declared, str) and MEDIA_TYPE.fullmatch(declared):
        return declared
    # With a folder before it, so that it is never read as a URL.
    kind, packed = TYPES.guess_type(f"./{name}") if name else (None, None)
    if packed is not None:
        return PACKED.get(packed, ANYTHING)
    return kind or (TEXT if isinstance(body, str) else ANYTHING)
