"""Pagination: iterate over all pages of an operation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from poolse._rest.call import call
from poolse._rest.endpoint import Paging
from poolse._rest.request import target
from poolse._rest.request_io import RequestIO
from poolse._rest.settings import Settings
from poolse.errors import DecodeError

__all__ = ["Pages"]

Page = TypeVar("Page")
Item = TypeVar("Item")


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
        target(paging.endpoint, path, self._query)

    async def next(self) -> list[Item]:
        """Return the items of the next page.

        Only an empty page is the end: a short one may be a server with a lower limit.

        Raises:
            DecodeError: The last page has no cursor, or the cursor of this one does not advance,
                so that the iteration would never end.
        """
        if self._has_no_cursor:
            raise DecodeError("the last page has nothing to page by", self._paging.path)
        page = await call(self._io, self._settings, self._paging.endpoint, self._path, self._query)
        items = self._paging.items(page)
        if items:
            cursor = self._advance(items)
            # These items can be returned: only what follows them cannot be read.
            self._has_no_cursor = cursor is None
            self._query[self._paging.cursor] = cursor
        return items

    def _advance(self, items: list[Item]) -> int | None:
        paging = self._paging
        before = self._query.get(paging.cursor)
        values = [value for item in items if (value := paging.by(item)) is not None]
        cursor = min(values, default=None) if paging.descending else max(values, default=None)
        if cursor is None:
            return None
        step = cursor - before if isinstance(before, int) else None
        if step is not None and (step >= 0 if paging.descending else step <= 0):
            raise DecodeError(f"the server repeats itself: {paging.cursor} stays at {before}")
        return cursor
