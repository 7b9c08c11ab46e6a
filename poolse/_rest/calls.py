# Printed from poolse/_rest/async_calls.py by "make generate". Do not edit.
"""What the generated resources call: operations, pages, files and feeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs

from poolse._rest.call import call
from poolse._rest.endpoint import Endpoint, Paging, Translation
from poolse._rest.pagination import Batches, Pages
from poolse._rest.request_io import RequestIO, run_sync
from poolse._rest.settings import Settings
from poolse._rest.translation import (
    KnownIds,
    ids_to_look_up,
    key_of,
    pairs_in,
    remember,
    translate,
)
from poolse.errors import UsageError
from poolse.options import CallOptions

if TYPE_CHECKING:
    from poolse._files.transfers import Transfers

__all__ = ["Calls"]

T = TypeVar("T")
Page = TypeVar("Page")
Item = TypeVar("Item")

NO_PATH: Final[Mapping[str, object]] = {}


@attrs.frozen(eq=False, repr=False)
class Calls:
    """Calls of one client or view, with its settings."""

    io: RequestIO
    settings: Settings
    followed: Callable[..., object] | None = None
    """Returns the loop of a feed, for one list and the choices of a caller."""
    known_ids: KnownIds = attrs.field(factory=KnownIds)
    """What lists of the API say of IDs. All views of a client share it."""

    def call(
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
        return run_sync(flow)

    def translated(
        self,
        translation: Translation[Any],
        path: Mapping[str, object],
        given: object,
        other: object,
        options: CallOptions | None,
    ) -> Any:  # noqa: ANN401
        """Return what to send for a parameter that can be passed by other IDs, too."""
        ids = ids_to_look_up(translation, given, other)
        if not ids:
            return given
        key = key_of(translation, path)
        known = self.known_ids.get(key, {})
        # A list that does not have all of them is out of date, or was never fetched.
        if any(one not in known for one in ids):
            page = self.call(translation.endpoint, path, options=options)
            known = pairs_in(translation, page)
            remember(self.known_ids, key, known)
        return translate(translation, given, ids, known)

    def pages(
        self,
        paging: Paging[Page, Item],
        path: Mapping[str, object] = NO_PATH,
        *,
        query: Mapping[str, object] | None = None,
        options: CallOptions | None = None,
    ) -> Iterator[Item]:
        """Iterate over the items of all pages. The first step fetches the first page."""
        self.io.lifetime.raise_if_cancelled()
        # Not in the generator, so that wrong arguments are refused before the first step.
        return _items(Pages(self.io, self.settings.for_call(options), paging, path, query))

    def history(
        self,
        paging: Paging[Page, Item],
        path: Mapping[str, object],
        *,
        order: str,
        include_replies: bool,
        query: Mapping[str, object],
        options: CallOptions | None,
    ) -> Iterator[Item]:
        """Iterate over a list of items with threads, from either end."""
        if order not in ("newest", "oldest"):
            raise UsageError(f"order must be 'newest' or 'oldest', not {order!r}")
        if order == "newest":
            if include_replies:
                raise UsageError("include_replies=True needs order='oldest'")
            return self.pages(paging, path, query=query, options=options)
        self.io.lifetime.raise_if_cancelled()
        # Imported lazily, because most programs read the newest messages.
        from poolse._rest.oldest_first import OldestFirst

        open_pages = partial(Pages[Any, Item], self.io, self.settings.for_call(options))
        return _items(OldestFirst(open_pages, paging, path, query, include_replies=include_replies))

    def follow(self, feed: Callable[[Any], T], key: str, **choices: Any) -> T:  # noqa: ANN401
        """Return a feed of that kind over one list."""
        self.io.lifetime.raise_if_cancelled()
        if self.followed is None:
            raise UsageError("this client follows nothing")
        return feed(self.followed(key, **choices))

    @property
    def files(self) -> Transfers:
        """Uploads and downloads. Imported lazily: most programs need neither."""
        from poolse._files.transfers import Transfers

        return Transfers(self.io, self.settings)


def _items(pages: Batches[Item]) -> Iterator[Item]:
    while items := run_sync(pages.next()):
        yield from items
