"""Walking over all pages of an operation."""

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
    """A walk that remembers where it is. The bodies ask for `next` until a page is empty.

    Raises:
        UsageError: An argument that cannot be sent, before the first step.
        ArgumentTypeError: One of the wrong type.
    """

    def __init__(
        self,
        hands: RequestIO,
        settings: Settings,
        paging: Paging[Page, Item],
        path: Mapping[str, object],
        query: Mapping[str, object] | None,
    ) -> None:
        self._hands = hands
        self._settings = settings
        self._paging = paging
        self._path = path
        self._query = dict(query or {})
        self._lost = False
        target(paging.endpoint, path, self._query)

    async def next(self) -> list[Item]:
        """The items of the next page.

        Only an empty page is the end: a short one may be a server with a lower cap.

        Raises:
            DecodeError: The last page did not lead on, or this one leads back, so that the walk
                would never end.
        """
        if self._lost:
            raise DecodeError("the last page has nothing to page by", self._paging.path)
        page = await call(
            self._hands, self._settings, self._paging.endpoint, self._path, self._query
        )
        items = self._paging.items(page)
        if items:
            cursor = self._advance(items)
            # No reason to keep these rows back: only what follows them cannot be had.
            self._lost = cursor is None
            self._query[self._paging.cursor] = cursor
        return items

    def _advance(self, items: list[Item]) -> int | None:
        paging = self._paging
        here = self._query.get(paging.cursor)
        known = [value for item in items if (value := paging.by(item)) is not None]
        cursor = min(known, default=None) if paging.descending else max(known, default=None)
        if cursor is None:
            return None
        moved = not isinstance(here, int) or (cursor < here if paging.descending else cursor > here)
        if not moved:
            raise DecodeError(f"the server repeats itself: {paging.cursor} stays at {here}")
        return cursor
