"""The name of a file to upload: from its path, without the suffix of what it unpacks."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

from poolse._support.argument_checks import has_method
from poolse.types import UNSET, Unset

__all__ = ["is_file", "name_of"]

UNPACKERS: Final = (
    ("gzip", "GzipFile"),
    ("bz2", "BZ2File"),
    ("lzma", "LZMAFile"),
    ("compression.zstd", "ZstdFile"),
)
"""Modules and classes whose files return other bytes than the file they are named after."""

UNPACKED: Final = {
    ".bz2": "",
    ".gz": "",
    ".lzma": "",
    ".svgz": ".svg",
    ".taz": ".tar",
    ".tbz": ".tar",
    ".tbz2": ".tar",
    ".tgz": ".tar",
    ".txz": ".tar",
    ".xz": "",
    ".z": "",
    ".zst": "",
}
"""Suffixes of packed files, and those of what is in them."""

HOLDERS: Final = ("raw", "wrapped", "file")
"""Where a buffer, anyio's files and those of tempfile have the file below."""


def is_file(body: object) -> bool:
    """Return whether it may be an open file: it has a `read`, and is an object, not its class."""
    return has_method(body, "read")


def name_of(body: object) -> str | Unset:
    """Return the name of a file, the last part of its path, if it has one."""
    unpacked = _is_unpacked(body)
    path: object = None
    if isinstance(body, os.PathLike):
        path = os.fsdecode(cast("os.PathLike[str]", body))
    elif is_file(body):
        # Files that a framework was sent have a `filename`.
        path = getattr(body, "name", None) or getattr(body, "filename", None)
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    # A file without a path may be named by a number, or as `<stdin>`.
    if not isinstance(path, str) or (path.startswith("<") and path.endswith(">")):
        return UNSET
    name = Path(path).name
    if name in ("", ".."):
        return UNSET
    return _unpacked_name(name) if unpacked else name


def _is_unpacked(body: object) -> bool:
    loaded = [getattr(sys.modules.get(module), name, None) for module, name in UNPACKERS]
    kinds = tuple(kind for kind in loaded if isinstance(kind, type))
    return any(isinstance(file, kinds) for file in _layers(body))


def _layers(file: object) -> Iterator[object]:
    """Yield the file, and those below it."""
    current: Any = file
    for _ in range(8):
        yield current
        below = (getattr(current, holder, None) for holder in HOLDERS)
        current = next((inner for inner in below if is_file(inner)), None)
        if current is None:
            return


def _unpacked_name(name: str) -> str:
    path = Path(name)
    suffix = UNPACKED.get(path.suffix.lower())
    return name if suffix is None else path.stem + suffix
