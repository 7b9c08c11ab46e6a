"""What a caller gave to upload, with its size, name and type worked out."""

from __future__ import annotations

import io
import mimetypes
import os
import stat
from collections.abc import AsyncIterable, Callable, Iterable
from pathlib import Path
from typing import Any, Final, cast

from poolse._checks import checked_count, checked_text, named
from poolse._core.meter import Source
from poolse._core.upload import File
from poolse._files.sources import AsyncPieces, Memory, OpenFile, PathFile, Pieces, unreadable
from poolse._files.steps import Aside, at_once
from poolse.errors import ArgumentTypeError, UsageError
from poolse.types import UNSET, AsyncUploadBody, BinaryReader, Unset, UploadPaths

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

WANTED: Final = "a path (os.PathLike), bytes, a str, a binary file or an iterable of bytes"


def file_of(
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
    source = _source_of(body, declared, aside)
    if declared is not None and source.size != declared:
        raise UsageError(f"byte_size says {declared}, but the body has {source.size} bytes")
    called = _name_of(body) if filename is UNSET else filename
    kind = _type_of(called, body) if content_type is UNSET else content_type
    return File(source, kind, called)


def files_of(paths: UploadPaths, aside: Aside) -> list[File | UsageError]:
    """What can be sent of several paths, and what is wrong with the others.

    Raises:
        ArgumentTypeError: They are no paths.
    """
    if isinstance(paths, str | bytes | os.PathLike) or not isinstance(paths, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ArgumentTypeError(f"paths must be a list of paths, not {named(paths)}")
    given = list(paths)
    for path in cast("list[object]", given):
        if not isinstance(path, os.PathLike):
            hint = ": make it a pathlib.Path" if isinstance(path, str) else ""
            raise ArgumentTypeError(f"paths must be of os.PathLike, not {named(path)}{hint}")
    return [_file_or_error(path, aside) for path in given]


def _file_or_error(path: os.PathLike[str], aside: Aside) -> File | UsageError:
    try:
        return file_of(path, UNSET, UNSET, UNSET, aside)
    except UsageError as error:
        return error


def _source_of(body: AsyncUploadBody, declared: int | None, aside: Aside) -> Source:
    if isinstance(body, str):
        return Memory(memoryview(_encoded(body)))
    if isinstance(body, os.PathLike):
        return _path_file(os.fsdecode(body), declared, aside)
    if isinstance(body, bytes | bytearray | memoryview):
        return Memory(memoryview(body))
    if isinstance(body, BinaryReader):
        return _open_file(body, declared, aside)
    if isinstance(body, Iterable):
        return Pieces(body, _needed(declared, "an iterable"))
    return _other(body, declared, aside)


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


def _open_file(file: BinaryReader, declared: int | None, aside: Aside) -> OpenFile:
    if isinstance(file, io.TextIOBase):
        raise UsageError("body is a file in text mode: open it in binary mode, as 'rb'")
    if getattr(file, "closed", False):
        raise UsageError("body is a file that is closed already")
    if isinstance(file, io.IOBase) and not file.readable():
        raise UsageError("body is a file that is not open for reading")
    measured = _measured(file)
    if measured is None:
        return OpenFile(file, _needed(declared, "a file that cannot seek"), None, aside)
    size, back = measured
    return OpenFile(file, size, back, aside)


def _measured(file: BinaryReader) -> tuple[int, Callable[[], object]] | None:
    """How much there is from where the file stands, and what brings it back there, if it can."""
    tell: Any = getattr(file, "tell", None)
    seek: Any = getattr(file, "seek", None)
    try:
        start = tell()
        end = seek(0, os.SEEK_END)
        seek(start)
    except (OSError, TypeError):
        return None
    return end - start, lambda: seek(start)


def _needed(declared: int | None, what: str) -> int:
    if declared is None:
        raise UsageError(f"{what} does not say how long it is: give byte_size too")
    return declared


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise UsageError("body has half a character (a lone surrogate)") from None


def _name_of(body: AsyncUploadBody) -> str | Unset:
    """The last part of the path of a file."""
    path: object = os.fsdecode(body) if isinstance(body, os.PathLike) else None
    if isinstance(body, BinaryReader):
        path = getattr(body, "name", None)
    # A file without a path may be named by a number.
    return Path(path).name or UNSET if isinstance(path, str) else UNSET


def _type_of(name: str | Unset, body: object) -> str:
    # With a folder before it, so that it is never read as a URL.
    kind, packed = TYPES.guess_type(f"./{name}") if name else (None, None)
    if packed is not None:
        return PACKED.get(packed, ANYTHING)
    return kind or (TEXT if isinstance(body, str) else ANYTHING)
