"""Pagination: iterate over all pages of an operation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, Protocol, TypeVar

from poolse._rest.call import call
from poolse._rest.endpoint import Paging
from poolse._rest.request import target
from poolse._rest.request_io import RequestIO
from poolse._rest.settings import Settings
from poolse.errors import DecodeError

__all__ = ["Batches", "Pages"]

Page = TypeVar("Page")
Item = TypeVar("Item")
ItemOut = TypeVar("ItemOut")


class Batches(Protocol[ItemOut]):
    """An iteration by several items at once."""

    async def next(self) -> list[ItemOut]:
        """Return the next items; none at the end."""
        ...


class Pages(Generic[Page, Item]):
    """An iteration over pages that keeps its position. Call `next` until a page is empty.

    Raises:
        UsageError: An argument that cannot be sent, before the first step.
        ArgumentTypeError: One of the wrong type.
    """

    def __init__(
        self,
        io: RequestIO,
        settings: Settings,
        paging: Paging[Page, Item],
        path: Mapping[str, object],
        query: Mapping[str, object] | None,
    ) -> None:
        self._io = io
        self._settings = settings
        self._paging = paging
        self._path = path
        self._query = dict(query or {})
        self._has_no_cursor = False
        self._is_at_end = False
        target(paging.endpoint, path, self._query)

    async def next(self) -> list[Item]:
        """Return the items of the next page.

        Where pages do not say what comes next, only an empty one is the end: a short one may be
        that of a server with a lower limit.

        Raises:
            DecodeError: The last page has no cursor, or the cursor of this one does not advance,
                so that the iteration would never end.
        """
        paging = self._paging
        while not self._is_at_end:
            if self._has_no_cursor:
                raise DecodeError("the last page has no cursor", paging.path)
            page = await call(self._io, self._settings, paging.endpoint, self._path, self._query)
            items = paging.items(page)
            if paging.next is not None:
                self._follow(paging.next(page))
            elif items:
                cursor = self._advance(items)
                # These items can be returned: only what follows them cannot be read.
                self._has_no_cursor = cursor is None
                self._query[paging.cursor] = cursor
            if items or paging.next is None:
                return items
        return []

    def _follow(self, cursor: object) -> None:
        """Continue with the cursor of the page."""
        self._is_at_end = cursor is None or cursor == ""
        if cursor == self._query.get(self._paging.cursor) and not self._is_at_end:
            raise DecodeError("the server returned the cursor of this page again")
        self._query[self._paging.cursor] = cursor

    def _advance(self, items: list[Item]) -> int | None:
        paging = self._paging
        before = self._query.get(paging.cursor)
        found = map(paging.by, items) if paging.by else ()
        values = [value for value in found if value is not None]
        cursor = min(values, default=None) if paging.descending else max(values, default=None)
        if cursor is None:
            return None
        step = cursor - before if isinstance(before, int) else None
        if step is not None and (step >= 0 if paging.descending else step <= 0):
            raise DecodeError(
                f"the server returned the same page again: {paging.cursor} stays at {before}"
            )
        return cursor
