"""What to upload, from the arguments of a call: its source, size, name and type."""

from __future__ import annotations

import io
import mimetypes
import os
import re
import stat
from collections.abc import AsyncIterable, Iterable, Sequence
from typing import Any, Final, cast

from poolse._files.disk_threads import ASYNC_FILE, FileSteps, RunStep, run_inline
from poolse._files.sources import OpenFile, PathFile, Pieces, each, slices, unreadable
from poolse._files.upload import File, Source
from poolse._files.upload_name import is_file, name_of
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
    run_step: RunStep,
) -> File:
    """Return what to upload.

    Raises:
        UsageError: It cannot be uploaded, has not the size that was declared, or has none.
    """
    declared = None if byte_size is UNSET else checked_count("byte_size", byte_size)
    for argument, value in (("content_type", content_type), ("filename", filename)):
        if value is not UNSET:
            checked_text(argument, value)
    source = await _source_of(body, declared, run_step)
    if declared is not None and source.size != declared:
        raise UsageError(f"byte_size is {declared}, but the body has {source.size} bytes")
    name = name_of(body) if filename is UNSET else filename
    if content_type is UNSET:
        content_type = _content_type(name, body)
    return File(source, content_type, _unicode(name))


async def files_of(
    paths: UploadPaths, filenames: Sequence[str | None] | None, run_step: RunStep
) -> list[File | UsageError]:
    """Return what to upload of several paths, and the errors of those that cannot be uploaded.

    Raises:
        ArgumentTypeError: They are no paths, or their names no names.
        UsageError: There are more or fewer names than paths.
    """
    if isinstance(paths, str | bytes | os.PathLike) or not isinstance(paths, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ArgumentTypeError(f"paths must be a list of paths, not {named(paths)}")
    paths = list(paths)
    for path in cast("list[object]", paths):
        if not isinstance(path, os.PathLike):
            hint = ": make it a pathlib.Path" if isinstance(path, str) else ""
            raise ArgumentTypeError(f"paths must be of os.PathLike, not {named(path)}{hint}")
    files: list[File | UsageError] = []
    for path, name in zip(paths, _checked_names(filenames, len(paths)), strict=True):
        try:
            files.append(await file_of(path, UNSET, UNSET, name, run_step))
        except UsageError as error:
            files.append(error)
    return files


def _checked_names(filenames: object, count: int) -> list[str | Unset]:
    if filenames is None:
        return [UNSET] * count
    if isinstance(filenames, str | bytes) or not isinstance(filenames, Iterable):
        raise ArgumentTypeError(f"filenames must be a list of str, not {named(filenames)}")
    names = list(cast("Iterable[object]", filenames))
    if len(names) != count:
        raise UsageError(f"filenames has {len(names)} names for {count} paths")
    return [UNSET if name is None else checked_text("a name of filenames", name) for name in names]


async def _source_of(body: AsyncUploadBody, declared: int | None, run_step: RunStep) -> Source:
    if isinstance(body, os.PathLike):
        return _path_file(os.fsdecode(body), declared, run_step)
    if is_file(body):
        return await _open_file(body, declared, run_step)
    data = _in_memory(body)
    if data is not None:
        return Pieces(lambda: each(slices(data)), len(data), repeatable=True)
    if isinstance(body, Iterable):
        # Only a sequence can be iterated again.
        size = _needed(declared, "an iterable")
        return Pieces(lambda: each(body), size, repeatable=isinstance(body, Sequence))
    if isinstance(body, AsyncIterable) and run_step is not run_inline:
        size = _needed(declared, "an iterable")
        return Pieces(lambda: aiter(body), size, repeatable=False)
    hint = ": the async client accepts it" if isinstance(body, AsyncIterable) else ""
    raise ArgumentTypeError(f"body must be {WANTED}, not {named(body)}{hint}")


def _in_memory(body: object) -> memoryview | None:
    """Return the bytes of a str or of anything like an array, one after the other."""
    try:
        view = memoryview(body.encode() if isinstance(body, str) else cast("Any", body))
    except UnicodeEncodeError:
        raise UsageError("body has half a character (a lone surrogate)") from None
    except TypeError:
        return None
    except ValueError as error:
        raise UsageError(f"body cannot be read any more: {error}") from None
    try:
        return view.cast("B")
    except (TypeError, ValueError):
        # With gaps in it, empty, or of a format that `cast` does not know.
        return memoryview(view.tobytes())


def _path_file(path: str, declared: int | None, run_step: RunStep) -> PathFile:
    try:
        status = os.stat(path)  # noqa: PTH116  (as it was given)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
    if stat.S_ISDIR(status.st_mode):
        raise UsageError(f"cannot read {path}: it is a folder; upload the files in it")
    repeatable = stat.S_ISREG(status.st_mode)
    size = status.st_size if repeatable else _needed(declared, "a pipe or device")
    return PathFile(path, size, repeatable=repeatable, run_step=run_step)


async def _open_file(body: Any, declared: int | None, run_step: RunStep) -> OpenFile:  # noqa: ANN401
    if isinstance(body, io.TextIOBase):
        raise UsageError("body is a file in text mode: open it in binary mode, as 'rb'")
    if getattr(body, "closed", False) is True:
        raise UsageError("body is a closed file")
    if isinstance(body, io.IOBase) and not body.readable():
        raise UsageError("body is a file that is not open for reading")
    file = body
    if is_async(body.read):
        if run_step is run_inline:
            raise UsageError(f"body is an async file, and nothing here awaits it: {ASYNC_FILE}")
        # Starlette's UploadFile does not know its position. The file in it does.
        inner: Any = getattr(body, "file", None)
        if not hasattr(body, "tell") and is_file(inner) and not is_async(inner.read):
            file = inner
    steps = FileSteps(run_step)
    position = await steps.position(file)
    if position is None:
        return OpenFile(file, _needed(declared, "a file that cannot seek"), None, steps)
    start, end = position
    # It may stand past its end, where nothing is read.
    return OpenFile(file, max(0, end - start), start, steps)


def _needed(declared: int | None, what: str) -> int:
    if declared is None:
        raise UsageError(f"{what} has no known size: pass byte_size too")
    return declared


def _unicode(name: str | Unset) -> str | Unset:
    try:
        return name if name is UNSET else name.encode().decode()
    except UnicodeEncodeError:
        raise UsageError(
            "the name of the file is no Unicode text: say what to call it, with filename="
        ) from None


def _content_type(name: str | Unset, body: object) -> str:
    # Frameworks say it of the files that they were sent: `UploadFile.content_type`.
    declared = getattr(body, "content_type", None) if is_file(body) else None
    if isinstance(declared, str) and MEDIA_TYPE.fullmatch(declared):
        return declared
    # With a folder before it, so that it is never read as a URL.
    guess, packed = TYPES.guess_type(f"./{name}") if name else (None, None)
    if packed is not None:
        return PACKED.get(packed, ANYTHING)
    return guess or (TEXT if isinstance(body, str) else ANYTHING)
