"""An operation of the API as data. The generated `endpoints` module is a table of these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, Literal, Protocol, TypeVar

import attrs

from poolse._rest.arguments import Kind

__all__ = [
    "BEARER",
    "Auth",
    "Download",
    "Endpoint",
    "ErrorPaths",
    "Paging",
    "Read",
    "Target",
    "Translation",
    "Upload",
]

T = TypeVar("T", covariant=True)
Page = TypeVar("Page")
Item = TypeVar("Item")
Answered = TypeVar("Answered")
Result = TypeVar("Result")
Row = TypeVar("Row", contravariant=True)

Read = Callable[[object], T]
"""Turns parsed JSON into a typed result, or raises `codec.Mismatch`."""


Steps = tuple[str | int, ...]
"""Keys and indexes that lead to a value in JSON; none where there is no such value."""


@attrs.frozen(kw_only=True)
class ErrorPaths:
    """Where a response that is a refusal says what."""

    code: Steps
    message: Steps
    details: Steps
    doc_url: Steps


@attrs.frozen
class Auth:
    """How a credential is sent."""

    scheme: Literal["bearer", "basic", "header", "query"]
    name: str = "Authorization"
    """Of the header, or of the parameter of the query."""


BEARER: Final = Auth("bearer")


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
    headers: tuple[str, ...] = ()
    """Those fields of the query that are sent as headers."""
    auth: Auth = BEARER
    needs: tuple[str, ...] = ()
    """Those of them that cannot be left out."""
    idempotency: str | None = None
    """The header that carries the idempotency key, or None when the operation takes none."""
    generate: tuple[str, ...] = ()
    """Body fields that the client fills with a fresh uuid4 when the caller leaves them out."""
    none_on: tuple[int, ...] = ()
    """Statuses that are no failure: they say that there is nothing."""
    secrets: tuple[str, ...] = ()
    """Values of the path that are not shown."""
    retry: bool = True


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Paging(Generic[Page, Item]):
    """How to walk over all pages of an operation."""

    endpoint: Endpoint[Page]
    items: Callable[[Page], list[Item]]
    cursor: str
    """The query parameter that says where a page starts."""
    by: Callable[[Item], int | None] | None = None
    """The item's own value that the cursor is compared with, where a page does not say `next`."""
    next: Callable[[Page], object] | None = None
    """The cursor of the next page; None, or an empty one, after the last page."""
    path: str
    """Where that value is, such as `$.data[].sequence`."""
    descending: bool = False
    """Newest first: the next cursor is the smallest value of the page, else the largest."""
    thread: Callable[[Item], Thread[Item] | None] | None = None
    """The replies to an item, where the list does not contain them."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Thread(Generic[Item]):
    """The replies to one item: another list, oldest first."""

    paging: Paging[Any, Item]
    path: Mapping[str, object]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Translation(Generic[Page]):
    """How a parameter can be passed by other IDs, which a list of the API has beside its own."""

    endpoint: Endpoint[Page]
    """Returns the list, for the values of the path that both operations have."""
    method: str
    """What users call it."""
    items: Callable[[Page], Sequence[object]]
    known: str
    """The attribute of an item that is passed, and the one that is sent for it."""
    wanted: str
    param: str
    """The parameter for the IDs to look up."""
    takes: Kind
    """What it may be."""
    target: str
    """The parameter for the IDs to send."""
    is_needed: bool
    """Whether exactly one of the two is passed."""
    is_list: bool
    """Whether each is a list. If both are passed, all are sent."""


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
    """Size and hash that the model has for the bytes."""
    sha256: Callable[[Row], str | None]
