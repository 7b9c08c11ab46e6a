"""Types shared by the whole library: UNSET, open enums, JSON, files."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping
from enum import Enum, StrEnum
from typing import Final, Literal, Protocol, Self, runtime_checkable

__all__ = [
    "UNSET",
    "AsyncBinaryReader",
    "AsyncBinaryWriter",
    "AsyncDownloadTo",
    "AsyncGetToken",
    "AsyncUploadBody",
    "BinaryReader",
    "BinaryWriter",
    "DownloadTo",
    "GetToken",
    "Json",
    "JsonObject",
    "OnProgress",
    "OpenEnum",
    "RealtimeStatus",
    "Unset",
    "UploadBody",
    "UploadPaths",
]


class _Unset(Enum):
    """Enum with one member, which survives pickle and copy and is narrowed by type checkers."""

    UNSET = "UNSET"

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"


RealtimeStatus = Literal["idle", "connecting", "connected", "reconnecting", "closed"]
"""Status of the connection. With several sockets, the least healthy status."""


UNSET: Final = _Unset.UNSET
"""Leave the key out of the request. Not the same as None, which sends null."""

Unset = Literal[_Unset.UNSET]
"""The type of `UNSET`, for annotations."""

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""Any JSON value."""


@runtime_checkable
class BinaryReader(Protocol):
    """A file open for reading in binary mode, or a similar object."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, and b"" at the end."""
        ...


@runtime_checkable
class BinaryWriter(Protocol):
    """A file open for writing in binary mode, or a similar object."""

    def write(self, data: bytes, /) -> object:
        """Write all bytes, or return the number of bytes written."""
        ...


@runtime_checkable
class AsyncBinaryReader(Protocol):
    """An async file open for reading: of aiofiles, anyio or trio, or FastAPI's `UploadFile`."""

    def read(self, size: int, /) -> Awaitable[bytes]:
        """Return at most `size` bytes, and b"" at the end."""
        ...


@runtime_checkable
class AsyncBinaryWriter(Protocol):
    """An async file open for writing in binary mode: of aiofiles, anyio or trio."""

    def write(self, data: bytes, /) -> Awaitable[object]:
        """Write all bytes, or return the number of bytes written."""
        ...


UploadBody = (
    os.PathLike[str] | bytes | bytearray | memoryview | str | BinaryReader | Iterable[bytes]
)
"""Body of an upload. A str is content to send as UTF-8, never a path."""

AsyncUploadBody = UploadBody | AsyncBinaryReader | AsyncIterable[bytes]
"""Body of an upload with the async client. A sync iterable is iterated in the event loop."""

UploadPaths = Iterable[os.PathLike[str]]
"""Paths of files to upload. A str is not accepted, because `upload` treats it as content."""

DownloadTo = str | os.PathLike[str] | BinaryWriter
"""Destination of a download: a path, which may be a str here, or a binary file."""

AsyncDownloadTo = DownloadTo | AsyncBinaryWriter
"""Destination of a download with the async client."""

OnProgress = Callable[[int, int], object]
"""Progress callback, `on_progress(loaded, total)`, called with numbers of bytes.

Called about a hundred times. `loaded` never decreases, even if a retry starts over, and equals
`total` only in the last call of a successful transfer. An exception in it ends the transfer and is
raised unchanged. The async client also accepts an async function.
"""

GetToken = Callable[[], str | None]
"""Function that returns a token, or None for unauthenticated calls."""

AsyncGetToken = Callable[[], str | None | Awaitable[str | None]]
"""Sync or async function that returns a token, or None for unauthenticated calls."""

JsonObject = Mapping[str, object]
"""A JSON object: string keys and JSON values."""


class OpenEnum(StrEnum):
    """String enum that preserves values unknown to this release.

    A newer backend may send new values. Such a value becomes a member of the same enum whose value
    is the raw string, and which equals that string.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        # Not stored in the class: a server must not be able to grow it without end.
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member

    @property
    def is_known(self) -> bool:
        """Whether the value is known to this release."""
        return self._name_ in type(self).__members__

    def __reduce_ex__(self, protocol: object) -> tuple[type[Self], tuple[str]]:
        return type(self), (self._value_,)
