"""Iterate over a list from its oldest item on, though the server returns it newest first.

The list can be read downwards from any number. So it is read in windows of numbers, the lowest
window first, and each window downwards. Memory holds one window, the newest page, and one page of
each thread whose root was returned and whose replies are not all returned yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from math import inf
from typing import Any, Final, Generic, TypeVar

from poolse._json.parsing import needed
from poolse._rest.endpoint import Paging
from poolse._rest.pagination import Pages

__all__ = ["OldestFirst"]

Page = TypeVar("Page")
Item = TypeVar("Item")

_MOST_PAGES: Final = 3
"""Pages of one window. One that has more is given up, and read again in narrower windows."""


class OldestFirst(Generic[Page, Item]):
    """An iteration that keeps its position. Call `next` until there is nothing.

    Items that are added after the first call may be missing.
    """

    def __init__(
        self,
        open_pages: Callable[..., Pages[Any, Item]],
        paging: Paging[Page, Item],
        path: Mapping[str, object],
        query: Mapping[str, object],
        *,
        include_replies: bool,
    ) -> None:
        """Start below the first item.

        Args:
            open_pages: Returns `Pages` of a list: of this one, or of the replies to an item.
            paging: The list.
            path: Its path values.
            query: Its query, with the number where to end as its cursor.
            include_replies: Whether to return the replies to each item, too.
        """
        self._open_pages = open_pages
        self._paging = paging
        self._path = path
        self._query = query
        self._include_replies = include_replies
        self._newest = open_pages(paging, path, query)
        """The pages from the top. It checks the arguments."""
        self._top: list[Item] | None = None
        """The newest items, ascending. They are returned last, and not read twice."""
        self._done = 0
        """All items up to this number were returned."""
        self._width = 1
        """Numbers of the next window."""
        before = self._query.get(paging.cursor)
        self._end = before if isinstance(before, int) else inf
        self._threads: list[_OpenThread[Item]] = []

    async def next(self) -> list[Item]:
        """Return the next items, ascending; none at the end.

        Raises:
            DecodeError: An item has no number.
        """
        if self._top is None:
            self._top = sorted(await self._newest.next(), key=self._number)
            self._width = max(1, len(self._top))
        while self._top or self._threads:
            items, upto = await self._window()
            if self._include_replies:
                items = await self._with_replies(items, upto)
            if items:
                return items
        return []

    async def _window(self) -> tuple[list[Item], float]:
        """Return the items of the next window, and the number that it ends with."""
        if not self._top:
            return [], min([await thread.last() for thread in self._threads])
        lowest = self._number(self._top[0])
        if self._done + 1 >= lowest:
            items, self._top = self._top, []
            self._done = self._number(items[-1])
            return items, self._done
        upto = min(self._done + self._width, lowest - 1)
        items = await self._read(upto)
        return sorted(items, key=self._number), self._done

    async def _read(self, upto: int) -> list[Item]:
        """Return the items of a window. If it has too many, return none, and make it narrower."""
        found: list[Item] = []
        query = {**self._query, self._paging.cursor: upto + 1}
        pages = self._open_pages(self._paging, self._path, query)
        page_size = len(self._top or ())
        for number in count(1):
            page = await pages.next()
            found += (item for item in page if self._number(item) > self._done)
            lowest = min(map(self._number, page), default=0)
            if lowest <= self._done + 1:
                break
            if number == _MOST_PAGES and self._width > page_size:
                # As many numbers as have about a page of items, as far as it is known; but less
                # than now, also if pages have become smaller.
                estimate = page_size * (upto - lowest + 1) // len(found)
                self._width = max(page_size, min(estimate, (upto - self._done) // 2))
                return []
        if 2 * len(found) <= page_size:
            self._width *= 2
        self._done = upto
        return found

    def _number(self, item: Item) -> int:
        return _number(self._paging, item)

    async def _with_replies(self, items: list[Item], upto: float) -> list[Item]:
        """Add the replies of open threads up to this number."""
        thread_of = self._paging.thread
        for item in items:
            thread = thread_of(item) if thread_of else None
            if thread is not None:
                self._threads.append(
                    _OpenThread(thread.paging, self._open_pages(thread.paging, thread.path, None))
                )
        numbered = [(self._number(item), item) for item in items]
        for opened in list(self._threads):
            numbered += await opened.take(min(upto, self._end - 1))
            if opened.is_over or upto >= self._end - 1:
                self._threads.remove(opened)
        return [item for _, item in sorted(numbered, key=lambda pair: pair[0])]


class _OpenThread(Generic[Item]):
    """The replies of a thread that are not returned yet."""

    def __init__(self, paging: Paging[Any, Item], pages: Pages[Any, Item]) -> None:
        self.is_over = False
        """Whether the last page was empty."""
        self._paging = paging
        self._pages = pages
        self._page: list[tuple[int, Item]] = []

    async def last(self) -> float:
        """Return the highest number of the page at hand."""
        await self._fill()
        return self._page[-1][0] if self._page else -inf

    async def take(self, upto: float) -> list[tuple[int, Item]]:
        """Return the replies up to a number, with their numbers."""
        taken: list[tuple[int, Item]] = []
        await self._fill()
        while self._page and self._page[0][0] <= upto:
            rest = [pair for pair in self._page if pair[0] > upto]
            taken += self._page[: len(self._page) - len(rest)]
            self._page = rest
            await self._fill()
        return taken

    async def _fill(self) -> None:
        if not self._page and not self.is_over:
            page = await self._pages.next()
            self.is_over = not page
            numbered = ((_number(self._paging, item), item) for item in page)
            self._page = sorted(numbered, key=lambda pair: pair[0])


def _number(paging: Paging[Any, Item], item: Item) -> int:
    return needed(paging.by(item) if paging.by else None, paging.path)
