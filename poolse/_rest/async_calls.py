"""What the generated resources call: operations, pages, files and feeds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs

from poolse._rest.call import call
from poolse._rest.endpoint import Endpoint, Paging
from poolse._rest.pagination import Pages
from poolse._rest.request_io import RequestIO

# sync: from poolse._rest.request_io import run_sync
from poolse._rest.settings import Settings
from poolse.errors import UsageError
from poolse.options import CallOptions

if TYPE_CHECKING:
    from poolse._files.async_transfers import AsyncTransfers

__all__ = ["AsyncCalls"]

T = TypeVar("T")
Page = TypeVar("Page")
Item = TypeVar("Item")

NO_PATH: Final[Mapping[str, object]] = {}


@attrs.frozen(eq=False, repr=False)
class AsyncCalls:
    """Calls of one client or view, with its settings."""

    io: RequestIO
    settings: Settings
    followed: Callable[..., object] | None = None
    """Returns the loop of a feed, for one list and the choices of a caller."""

    async def call(
        self,
        endpoint: Endpoint[T],
        path: Mapping[str, object] = NO_PATH,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        options: CallOptions | None = None,
    ) -> T:
        """Carry out one operation. Keys of `query` and `body` that are UNSET are left out."""
        self.io.lifetime.raise_if_cancelled()
        settings = self.settings if options is None else self.settings.for_call(options)
        flow = call(self.io, settings, endpoint, path, query, body)
        return await flow  # sync: return run_sync(flow)

    def pages(
        self,
        paging: Paging[Page, Item],
        path: Mapping[str, object] = NO_PATH,
        *,
        query: Mapping[str, object] | None = None,
        options: CallOptions | None = None,
    ) -> AsyncIterator[Item]:
        """Iterate over the items of all pages. The first step fetches the first page."""
        self.io.lifetime.raise_if_cancelled()
        # Not in the generator, so that wrong arguments are refused before the first step.
        return _items(Pages(self.io, self.settings.for_call(options), paging, path, query))

    def follow(self, feed: Callable[[Any], T], key: str, **choices: Any) -> T:  # noqa: ANN401
        """Return a feed of that kind over one list."""
        self.io.lifetime.raise_if_cancelled()
        if self.followed is None:
            raise UsageError("this client follows nothing")
        return feed(self.followed(key, **choices))

    @property
    def files(self) -> AsyncTransfers:
        """Uploads and downloads. Imported lazily: most programs need neither."""
        from poolse._files.async_transfers import AsyncTransfers

        return AsyncTransfers(self.io, self.settings)


async def _items(pages: Pages[Page, Item]) -> AsyncIterator[Item]:
    while items := await pages.next():  # sync: while items := run_sync(pages.next()):
        for item in items:  # sync: yield from items
            yield item  # sync:
