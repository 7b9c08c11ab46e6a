"""Base class of the clients: views, captured calls, statistics, closing."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Generic, NoReturn, Self, TypeVar

from poolse._client.async_core import AsyncClientCore
from poolse._observe.capture import CapturedCall
from poolse._rest.async_calls import AsyncCalls
from poolse._rest.async_raw_calls import AsyncRest
from poolse._rest.settings import Settings
from poolse._support.secret import hidden_items
from poolse.cancel import CancelToken
from poolse.errors import ArgumentTypeError
from poolse.options import CallOptions, Timeout
from poolse.types import UNSET, Unset

if TYPE_CHECKING:
    from poolse.stats import Stats

__all__ = ["AsyncClientBase"]

CoreT = TypeVar("CoreT", bound=AsyncClientCore)


class AsyncClientBase(Generic[CoreT]):
    """A client, or a view of one: a core that all views share, and the settings of its calls."""

    _core: CoreT
    _settings: Settings
    _calls: AsyncCalls
    _is_view: bool

    def _compose(self, core: CoreT, settings: Settings, *, is_view: bool) -> None:
        """Put the client, or the view, together."""
        raise NotImplementedError

    def _attach(self, core: CoreT, calls: AsyncCalls, *, is_view: bool) -> AsyncCalls:
        self._core = core
        self._settings = calls.settings
        self._calls = calls
        self._is_view = is_view
        return calls

    def with_options(
        self,
        *,
        timeout: float | Timeout | None | Unset = UNSET,
        max_retries: int | Unset = UNSET,
        headers: Mapping[str, str] | None = None,
        cancel: CancelToken | None = None,
    ) -> Self:
        """Return a view of this client with other options for its calls.

        The view shares connections, token and realtime with this client, is cheap to create, and
        has nothing to close.

        Args:
            timeout: Seconds per attempt in total, or a `Timeout`. None for no timeout.
            max_retries: Retries after the first attempt.
            headers: Extra headers, in addition to those of the client.
            cancel: Token that ends the calls of the view.
        """
        # First, so that no traceback shows them among its local variables.
        headers = hidden_items(headers)
        options = CallOptions(
            timeout=timeout, max_retries=max_retries, headers=headers, cancel=cancel
        )
        view = object.__new__(type(self))
        view._compose(self._core, self._settings.for_call(options), is_view=True)
        return view

    @property
    def rest(self) -> AsyncRest:
        """Untyped calls, for endpoints without a method in this release."""
        return AsyncRest(self._calls)

    def capture(self) -> AbstractContextManager[list[CapturedCall]]:
        """Capture the calls inside a block: status, headers, request ID, attempts.

        Captures the calls of this client and its views in this thread, or in this task and the
        tasks that it starts, including failed calls. Blocks may be nested. Use a plain `with`, even
        in the async client.

        Returns:
            A context manager whose value is a list. A call is added to it when it ends.

        Example:
            >>> with chat.capture() as calls:
            ...     chat.rest.request(method="GET", path="/v1/me")
            >>> calls[0].status, calls[0].request_id
        """
        return self._core.observers.captures.collect()

    def stats(self) -> Stats:
        """Return statistics: calls, connections, realtime, feeds.

        They count the client and all its views. Makes no request, and is cheap.
        """
        return self._core.stats()

    def __repr__(self) -> str:
        # A constructor that refuses is shown, half made, by tools that print local variables.
        if "_settings" not in self.__dict__:
            return f"<{type(self).__name__}>"
        closed = " closed" if self._core.lifetime.closed else ""
        return f"<{type(self).__name__} {self._settings.api_url}{closed}>"

    def __reduce__(self) -> NoReturn:
        raise ArgumentTypeError(
            f"a {type(self).__name__} holds connections and cannot be pickled or copied: "
            "create one in each process"
        )

    async def aclose(self) -> None:
        """End all calls and close all connections. Calling it again has no effect."""
        if not self._is_view:
            await self._core.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()
