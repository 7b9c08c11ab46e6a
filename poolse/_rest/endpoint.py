"""An operation of the API as data. The generated `endpoints` module is a table of these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, Protocol, TypeVar

import attrs

from poolse._rest.arguments import Kind

__all__ = ["Download", "Endpoint", "Paging", "Read", "Target", "Upload"]

T = TypeVar("T", covariant=True)
Page = TypeVar("Page")
Item = TypeVar("Item")
Answered = TypeVar("Answered")
Result = TypeVar("Result")
Row = TypeVar("Row", contravariant=True)

Read = Callable[[object], T]
"""Turns parsed JSON into a typed result, or raises `codec.Mismatch`."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Endpoint(Generic[T]):
    """One operation: everything about it that does not change from call to call."""

    method: str
    path: str
    """With `{name}` for each path value, such as `/v1/things/{thing_id}`."""
    read: Read[T]
    takes: Mapping[str, Kind] = attrs.field(factory=dict[str, Kind], repr=False)
    """What the fields of query and body may be, by their names in JSON."""
    segments: Mapping[str, Kind] = attrs.field(factory=dict[str, Kind], repr=False)
    """What the values of the path may be that are given with the call."""
    needs: tuple[str, ...] = ()
    """Those of them that cannot be left out."""
    idempotency: str | None = None
    """The header that carries the idempotency key, or None when the operation takes none."""
    generate: tuple[str, ...] = ()
    """Body fields that the client fills with a fresh uuid4 when the caller leaves them out."""
    none_on: tuple[int, ...] = ()
    """Statuses that are no failure: they say that there is nothing."""
    retry: bool = True


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Paging(Generic[Page, Item]):
    """How to walk over all pages of an operation."""

    endpoint: Endpoint[Page]
    items: Callable[[Page], list[Item]]
    cursor: str
    """The query parameter that says where a page starts."""
    by: Callable[[Item], int | None]
    """The item's own value that the cursor is compared with."""
    path: str
    """Where that value is, such as `$.data[].sequence`."""
    descending: bool
    """Newest first: the next cursor is the smallest value of the page, else the largest."""


class Target(Protocol):
    """Where the bytes go. Each value may be missing, as anything that a server sends."""

    @property
    def url(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str]: ...


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Upload(Generic[Answered, Result]):
    """How an operation that asks for a place leads to an upload."""

    endpoint: Endpoint[Answered]
    target: Callable[[Answered], Target]
    target_path: str
    """Where that is in the response, such as `$.upload`."""
    result: Callable[[Answered], Result]
    content_type: str
    """The field of the request that says what the bytes are."""
    size: str
    filename: str


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Download(Generic[Answered, Row]):
    """How an operation that says where the bytes are leads to a download."""

    endpoint: Endpoint[Answered]
    url: Callable[[Answered], str]
    size: Callable[[Row], int | None]
    """What the row says of the bytes."""
    sha256: Callable[[Row], str | None]
