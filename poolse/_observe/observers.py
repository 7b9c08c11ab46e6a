"""A call as its observers see it: its beginning, its retries and its end, and what is counted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Final, Literal, Protocol, Self, cast, get_args

import attrs

from poolse._support.argument_checks import checked_callback, checked_instance
from poolse.hooks import Hooks, RealtimeInfo, RequestInfo, ResponseInfo, RetryInfo

if TYPE_CHECKING:
    from poolse._rest.request_io import RequestIO
    from poolse._rest.retry import Progress
    from poolse.stats import CallStats

__all__ = [
    "STORAGE",
    "Kind",
    "Observers",
    "RequestCounter",
    "RequestObserver",
    "checked_hooks",
    "no_observers",
    "template",
]

Kind = Literal["on_request", "on_response", "on_retry", "on_realtime"]

STORAGE: Final = "(storage)"
"""The path of what goes to a signed URL, which is a secret as a whole."""

PLAIN: Final = re.compile(r"[a-z][a-z_-]*|v\d+|\{\w+\}")
"""A word of a path that is the same for everybody."""


class RequestCounter:
    """Counts the calls of a client."""

    def __init__(self, guard: AbstractContextManager[object]) -> None:
        """Begin at nothing. The guard is held during every change."""
        self._guard = guard
        self._begun = 0
        self._over = 0
        self._retries = 0
        self._errors = 0

    def renew(self, guard: AbstractContextManager[object]) -> None:
        """This is a forked child: what is under way is the parent's."""
        self._guard = guard
        self._over = self._begun

    def begun(self) -> None:
        """A call begins."""
        with self._guard:
            self._begun += 1

    def retried(self) -> None:
        """An attempt is repeated."""
        with self._guard:
            self._retries += 1

    def over(self, *, failed: bool) -> None:
        """A call is over."""
        with self._guard:
            self._over += 1
            self._errors += failed

    def stats(self) -> CallStats:
        """All numbers, as of one moment."""
        # Loaded when they are asked for, here and elsewhere: few programs do.
        from poolse.stats import CallStats

        with self._guard:
            return CallStats(
                begun=self._begun,
                active=self._begun - self._over,
                retries=self._retries,
                errors=self._errors,
            )


class Observers(Protocol):
    """Those who are told, as the body sees them."""

    tally: RequestCounter

    @property
    def listens(self) -> bool:
        """Whether anybody wants to be told, so that it is worth saying."""
        ...

    @property
    def listens_to_realtime(self) -> bool:
        """The same for what becomes of sockets."""
        ...

    def clock(self) -> float:
        """Seconds, of a clock that only goes forward."""
        ...

    def realtime(self, info: RealtimeInfo) -> object:
        """Tell everybody of a socket. In an async client the result is to be awaited."""
        ...

    async def tell(
        self, kind: Kind, info: RequestInfo | ResponseInfo | RetryInfo | RealtimeInfo
    ) -> None:
        """Tell everybody. What one of them raises does not come out."""
        ...


class RequestObserver:
    """Around one call, as an `async with`."""

    def __init__(self, hands: RequestIO, method: str, path: str, progress: Progress) -> None:
        self._ears = hands.ears
        self._method = method
        self._path = path
        self._progress = progress
        self._request: RequestInfo | None = None
        self._began = 0.0

    async def __aenter__(self) -> Self:
        self._ears.tally.begun()
        if self._ears.listens:
            self._began = self._ears.clock()
            self._request = RequestInfo(method=self._method, path=template(self._path))
            try:
                await self._ears.tell("on_request", self._request)
            except BaseException as error:
                await self._end(error)
                raise
        return self

    async def retries(self, wait: float) -> None:
        """The last attempt did not work, and after so many seconds there is another one."""
        self._ears.tally.retried()
        if self._request is not None:
            answer = self._progress.answer
            retry = RetryInfo(
                request=self._request,
                attempt=self._progress.attempts,
                status=answer.status if answer else None,
                error=None if answer else self._progress.loss,
                wait=wait,
            )
            await self._ears.tell("on_retry", retry)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._end(error)

    async def _end(self, error: BaseException | None) -> None:
        self._ears.tally.over(failed=error is not None)
        # A flow that was thrown away can await nothing any more.
        if self._request is None or isinstance(error, GeneratorExit):
            return
        answer = self._progress.answer
        response = ResponseInfo(
            request=self._request,
            attempts=self._progress.attempts,
            status=answer.status if answer else None,
            request_id=answer.headers.get("x-request-id") if answer else None,
            seconds=self._ears.clock() - self._began,
            error=error,
        )
        await self._ears.tell("on_response", response)


def checked_hooks(hooks: object, *, asynchronous: bool) -> tuple[Hooks, ...]:
    """The hooks that a client was given.

    Raises:
        ArgumentTypeError: They are something else.
        UsageError: One is async, and the client is not.
    """
    if hooks is None:
        return ()
    given = cast("Iterable[object]", hooks) if isinstance(hooks, list | tuple) else [hooks]
    found = tuple(
        checked_instance("hooks", one, Hooks, "a Hooks, such as Hooks(on_response=print)")
        for one in given
    )
    for one in found:
        for kind in get_args(Kind):
            hook = getattr(one, kind)
            if hook is not None:
                checked_callback(kind, hook, awaits=asynchronous)
    return found


def template(path: str) -> str:
    """A path as it may be told: without a query, and `{}` for what may be an id or a name."""
    if path == STORAGE:
        return path
    words = path.partition("?")[0].split("/")
    return "/".join(word if not word or PLAIN.fullmatch(word) else "{}" for word in words)


@attrs.define(eq=False, repr=False)
class _NullObservers:
    tally: RequestCounter = attrs.field(factory=lambda: RequestCounter(nullcontext()))
    listens: bool = False
    listens_to_realtime: bool = False

    def clock(self) -> float:
        return 0.0

    def realtime(self, info: object) -> None:
        """Nobody is there."""

    async def tell(self, kind: Kind, info: object) -> None:
        """Nobody is there."""


def no_observers() -> Observers:
    """Observers that hear nothing."""
    return _NullObservers()
