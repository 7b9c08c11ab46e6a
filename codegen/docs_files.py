"""Docstrings of methods that carry the bytes of files."""

from __future__ import annotations

from typing import Final

from codegen.docs import Flavour, arguments, example, joined, raises
from codegen.ir import Download, Many, Operation, Upload

__all__ = ["download_doc", "upload_doc", "upload_many_doc"]

PROGRESS: Final = (
    "Called with the bytes that are through and the bytes in all, about a hundred times; the last"
    " time, when all went well, both are the same. What it raises ends the transfer. In the async"
    " client it may be async."
)
UPLOAD: Final = {
    "body": "A path, bytes, a text, a binary file or an iterable of bytes. A str is the text"
    " itself, sent as UTF-8, and never a path: make it a `pathlib.Path`. An open file is read from"
    " where it stands, and stays open. The async client also takes async files and iterables:"
    " aiofiles, anyio, FastAPI's `UploadFile`.",
    "content_type": "Its media type. Left out: the `content_type` of the file object if it has one,"
    " else by the ending of the name, else the general one.",
    "byte_size": "Its size in bytes. Needed only for what does not tell it, such as an iterable.",
    "filename": "Its name, for people. Left out: the last part of the path of a file; without .gz"
    " and the like if the file object unpacks what it reads.",
    "on_progress": PROGRESS,
}
UPLOAD_MANY: Final = {
    "paths": "The files, as `pathlib.Path`s.",
    "concurrency": "How many of them go up at the same time.",
    "filenames": "Names for people, one for each path; None for one stands for the last part of its"
    " path, as for all when left out.",
    "on_progress": f"Of all of them together, where a file that failed counts too. {PROGRESS}",
}
DOWNLOAD: Final = {
    "to": "A path, which gets the file when it is whole, and only then. A file that is already"
    " there is replaced, and keeps its mode; a pipe or device such as /dev/stdout is written to."
    " Or a binary file, in the async client also an async one: it is written from where it stands,"
    " and stays open. Left out: the bytes are returned.",
    "on_progress": PROGRESS,
    "max_bytes": "How large the file may be.",
}
BAD_BODY: Final = (
    "An argument that cannot be sent, or a body that cannot be read, does not tell its size, or has"
    " another one than `byte_size` says or the file had at the start."
)
BAD_PLACE: Final = (
    "An argument that cannot be used, or the bytes cannot go there. Nothing was sent."
)


def upload_doc(op: Operation, upload: Upload, flavour: Flavour) -> str:
    """What is said of the method that puts the bytes where another one says."""
    return joined(
        [
            upload.summary,
            "",
            f"`{op.verb} {op.path}`, then the bytes go to the URL that it returns, without your"
            " credential. They are never in memory all at once. There is no limit for the whole"
            " unless you set a `timeout`, but for silence. What fails for a moment, or takes so"
            " long that the URL expires, is tried again from the start, if the body can be read"
            " again.",
            "",
            *arguments(UPLOAD.items()),
            "Returns:",
            "    The row, as it was before the bytes were there.",
            "",
            *raises(op, BAD_BODY),
            "    UploadError: The storage refused the bytes; `status` is its answer.",
            *_shown(upload.example, flavour),
        ]
    )


def upload_many_doc(op: Operation, many: Many, flavour: Flavour) -> str:
    """What is said of the method that does so for several files."""
    return joined(
        [
            many.summary,
            "",
            f"`{op.verb} {op.path}` for each, then its bytes. A file that fails does not touch the"
            " others: its error stands in its place.",
            "",
            *arguments(UPLOAD_MANY.items()),
            "Returns:",
            "    In the order of the paths: for each the row, or the exception that it ended in.",
            "",
            "Raises:",
            "    UsageError: Not all are paths, or an argument cannot be used. Nothing was sent.",
            "    Cancelled: By the token; this ends all of them.",
            *_shown(many.example, flavour),
        ]
    )


def download_doc(op: Operation, download: Download, flavour: Flavour) -> str:
    """What is said of the method that fetches the bytes from where another one says."""
    return joined(
        [
            download.summary,
            "",
            f"`{op.verb} {op.path}`, then the bytes come from the URL that it returns, without your"
            " credential. A lost connection goes on where it was lost, if the storage can do that."
            " There is no limit for the whole unless you set a `timeout`, but for silence. Size"
            " and hash are compared with the row, if the handle was made with one, else the size"
            " with what the storage says.",
            "",
            *arguments(DOWNLOAD.items()),
            "Returns:",
            "    The bytes; for a path, the path; for a file, how many bytes were written.",
            "",
            *raises(op, BAD_PLACE),
            "    DownloadError: The storage refused, or the bytes are too many, not those of the"
            " row, or cannot be written. No part of the file is left behind at a path.",
            *_shown(download.example, flavour),
        ]
    )


def _shown(call: str, flavour: Flavour) -> list[str]:
    return example([f">>> {flavour.await_}{call}"] if call else [])
