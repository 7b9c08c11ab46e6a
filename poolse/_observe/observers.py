"""What a client reports of its calls: to hooks, to the log, to `chat.capture()` and in numbers."""

from __future__ import annotations

import inspect
import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING, Final, Literal, Self, cast, get_args

from poolse._observe.capture import Captures, open_captures
from poolse._observe.log_records import record
from poolse._rest.http_messages import Request
from poolse._rest.retry import Progress
from poolse._support.argument_checks import checked_callback, checked_instance, not_awaitable
from poolse._support.fork_safety import renew_after_fork
from poolse.hooks import Hooks, RealtimeInfo, RequestInfo, ResponseInfo, RetryInfo

if TYPE_CHECKING:
    from poolse.stats import CallStats

__all__ = ["STORAGE", "Observers", "RequestObserver", "checked_hooks", "template"]

_HTTP_LOG: Final = logging.getLogger("poolse.http")
_REALTIME_LOG: Final = logging.getLogger("poolse.realtime")
_HOOKS_LOG: Final = logging.getLogger("poolse.hooks")

HookName = Literal["on_request", "on_response", "on_retry", "on_realtime"]
Info = RequestInfo | ResponseInfo | RetryInfo | RealtimeInfo

STORAGE: Final = "(storage)"
"""The path of a request to a signed URL, which is a secret as a whole."""

PLAIN: Final = re.compile(r"[a-z][a-z_-]*|v\d+|\{\w+\}")
"""A word of a path that is the same for all callers."""


class Observers:
    """Hooks, captures and counters of one client and its views."""

    def __init__(self, hooks: Sequence[Hooks] = (), *, asynchronous: bool = True) -> None:
        self._asynchronous = asynchronous
        self._hooks = {name: _named(name, hooks) for name in get_args(HookName)}
        self._has_call_hooks = any(map(self._hooks.get, ("on_request", "on_response", "on_retry")))
        self.captures: Final = Captures()
        self.lock: AbstractContextManager[object] = nullcontext()
        """Held while a counter changes."""
        self.begun = self.retries = self.errors = 0
        self.ended: int = 0
        self._renew()
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """Forget the calls in flight, which are the parent's, in a forked child."""
        self.lock = nullcontext() if self._asynchronous else threading.Lock()
        self.ended = self.begun

    @property
    def enabled(self) -> bool:
        """Whether a hook or the log wants to know of calls."""
        return self._has_call_hooks or _HTTP_LOG.isEnabledFor(logging.DEBUG)

    @property
    def realtime_enabled(self) -> bool:
        """Whether a hook or the log wants to know of sockets."""
        return bool(self._hooks["on_realtime"]) or _REALTIME_LOG.isEnabledFor(logging.DEBUG)

    def realtime(self, info: RealtimeInfo) -> object:
        """Notify of a socket. In an async client the result is to be awaited."""
        notified = self.notify("on_realtime", info)
        if self._asynchronous:
            return notified
        with suppress(StopIteration):  # sync hooks never suspend it
            notified.send(None)
        return None

    async def notify(self, name: HookName, info: Info) -> None:
        """Write to the log and call the hooks. What a hook raises is logged."""
        log = _REALTIME_LOG if name == "on_realtime" else _HTTP_LOG
        if log.isEnabledFor(logging.DEBUG):
            message, fields = record(info)
            log.debug(message, extra=fields)
        for hook in self._hooks[name]:
            try:
                result = hook(info)
                if not self._asynchronous:
                    not_awaitable(name, result)
                elif inspect.isawaitable(result):
                    await result
            except Exception:
                _HOOKS_LOG.exception("the hook %s failed", name, extra={"poolse_hook": name})

    def stats(self) -> CallStats:
        """Return a consistent snapshot of all numbers."""
        # Imported lazily, here and elsewhere: few programs ask for numbers.
        from poolse.stats import CallStats

        with self.lock:
            return CallStats(
                begun=self.begun,
                active=self.begun - self.ended,
                retries=self.retries,
                errors=self.errors,
            )


class RequestObserver:
    """Observes one call, as an `async with`."""

    def __init__(
        self,
        observers: Observers,
        method: str,
        path: str,
        progress: Progress,
        request: Request | None = None,
    ) -> None:
        """Observe a call.

        Args:
            observers: Those of the client.
            method: The HTTP method.
            path: The template of the path, or `STORAGE`.
            progress: The state of the call.
            request: What `chat.capture()` shows; None for a call that it does not.
        """
        self._observers = observers
        self._method = method
        self._path = path
        self._progress = progress
        self._captured = request
        self._request: RequestInfo | None = None
        self._began = 0.0

    async def __aenter__(self) -> Self:
        observers = self._observers
        with observers.lock:
            observers.begun += 1
        if observers.enabled:
            self._began = time.perf_counter()
            self._request = RequestInfo(method=self._method, path=template(self._path))
            try:
                await observers.notify("on_request", self._request)
            except BaseException as error:
                self._captured = None
                await self.__aexit__(None, error, None)
                raise
        return self

    async def retry(self, wait: float) -> None:
        """Note that an attempt failed, and the seconds until the next one."""
        observers, response = self._observers, self._progress.response
        with observers.lock:
            observers.retries += 1
        if self._request is not None:
            info = RetryInfo(
                request=self._request,
                attempt=self._progress.attempts,
                status=response.status if response else None,
                error=None if response else self._progress.network_error,
                wait=wait,
            )
            await observers.notify("on_retry", info)

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        observers, progress = self._observers, self._progress
        response = progress.response
        if self._captured is not None and open_captures.get():
            observers.captures.add(self._captured, response, progress.attempts, error)
        with observers.lock:
            observers.ended += 1
            observers.errors += error is not None
        # A flow that was thrown away can await nothing any more.
        if self._request is None or isinstance(error, GeneratorExit):
            return
        info = ResponseInfo(
            request=self._request,
            attempts=progress.attempts,
            status=response.status if response else None,
            request_id=response.headers.get("x-request-id") if response else None,
            seconds=time.perf_counter() - self._began,
            error=error,
        )
        await observers.notify("on_response", info)


def checked_hooks(hooks: object, *, asynchronous: bool) -> tuple[Hooks, ...]:
    """Return the hooks that a client was given.

    Raises:
        ArgumentTypeError: They are something else.
        UsageError: One is async, and the client is not.
    """
    if hooks is None:
        return ()
    items = cast("Iterable[object]", hooks) if isinstance(hooks, list | tuple) else [hooks]
    wanted = "a Hooks, such as Hooks(on_response=print)"
    checked = tuple(checked_instance("hooks", item, Hooks, wanted) for item in items)
    for name in get_args(HookName):
        for hook in _named(name, checked):
            checked_callback(name, hook, awaits=asynchronous)
    return checked


def _named(name: HookName, hooks: Sequence[Hooks]) -> list[Callable[[Info], object]]:
    functions = (getattr(item, name) for item in hooks)
    # Each kind of info goes to the hooks of that name, which take it.
    return [cast("Callable[[Info], object]", hook) for hook in functions if hook is not None]


def template(path: str) -> str:
    """Return a path that may be logged: no query, and `{}` for possible IDs and names."""
    if path == STORAGE:
        return path
    words = path.partition("?")[0].split("/")
    return "/".join(word if not word or PLAIN.fullmatch(word) else "{}" for word in words)
