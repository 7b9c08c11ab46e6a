"""Small types that every room of the library shares: UNSET, open enums, JSON."""

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
    """An enum with one member: that survives pickle and copy, and type checkers narrow it."""

    UNSET = "UNSET"

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"


RealtimeStatus = Literal["idle", "connecting", "connected", "reconnecting", "closed"]
"""State of the connection; with several sockets, that of the worst."""


UNSET: Final = _Unset.UNSET
"""Leave the key out of the request. Not the same as None, which sends null."""

Unset = Literal[_Unset.UNSET]
"""The type of `UNSET`, for annotations."""

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""Anything that JSON can say."""


@runtime_checkable
class BinaryReader(Protocol):
    """A file that is open for reading in binary mode, or anything that reads like one."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""
        ...


@runtime_checkable
class BinaryWriter(Protocol):
    """A file that is open for writing in binary mode, or anything that is written like one."""

    def write(self, data: bytes, /) -> object:
        """Take all of it, or return how many bytes were taken."""
        ...


@runtime_checkable
class AsyncBinaryReader(Protocol):
    """The same, async: a file of aiofiles, anyio or trio, or FastAPI's `UploadFile`."""

    def read(self, size: int, /) -> Awaitable[bytes]:
        """At most `size` bytes; none at the end."""
        ...


@runtime_checkable
class AsyncBinaryWriter(Protocol):
    """An async file that is open for writing in binary mode: one of aiofiles, anyio or trio."""

    def write(self, data: bytes, /) -> Awaitable[object]:
        """Take all of it, or return how many bytes were taken."""
        ...


UploadBody = (
    os.PathLike[str] | bytes | bytearray | memoryview | str | BinaryReader | Iterable[bytes]
)
"""What can be uploaded. A str is the text itself, sent as UTF-8, and never a path."""

AsyncUploadBody = UploadBody | AsyncBinaryReader | AsyncIterable[bytes]
"""The same for the async client. An iterable that is not async is stepped in the event loop."""

UploadPaths = Iterable[os.PathLike[str]]
"""Files to be uploaded. A str is none of them: it would be a text elsewhere."""

DownloadTo = str | os.PathLike[str] | BinaryWriter
"""Where a download can go: a path, which may be a str here, or a binary file."""

AsyncDownloadTo = DownloadTo | AsyncBinaryWriter
"""The same for the async client."""

OnProgress = Callable[[int, int], object]
"""Told how many bytes of how many are through: `on_progress(loaded, total)`.

It never goes back, not even when an attempt starts again, and is called about a hundred times. The
last call, with `loaded` equal to `total`, says that all went well. What it raises ends the
transfer and comes out as it is. In the async client it may be async, and is awaited.
"""

GetToken = Callable[[], str | None]
"""What gives a client its token; None for calls without one."""

AsyncGetToken = Callable[[], str | None | Awaitable[str | None]]
"""The same for an async client, where it may be async."""

JsonObject = Mapping[str, object]
"""A JSON object: string keys, JSON values."""


class OpenEnum(StrEnum):
    """A string enum that lets values through which this release does not know.

    A newer backend may send a value that was added after this client was made. It arrives as a
    member of the same enum with the raw string as its value, equal to that string.
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
        """Whether this release of the client knows the value."""
        return self._name_ in type(self).__members__

    def __reduce_ex__(self, protocol: object) -> tuple[type[Self], tuple[str]]:
        return type(self), (self._value_,)
