"""How observers are told: a record in the log, and the hooks, none of which can harm a call."""

from __future__ import annotations

import inspect
import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final, cast, get_args

from poolse._observe.log_records import record
from poolse._observe.observers import Kind, RequestCounter
from poolse._rest.request_io import run_sync
from poolse._support.argument_checks import not_awaitable
from poolse._support.fork_safety import renew_after_fork
from poolse.hooks import Hooks, RealtimeInfo, RequestInfo, ResponseInfo, RetryInfo

__all__ = ["ClientObservers"]

_CALLS: Final = logging.getLogger("poolse.http")
_REALTIME: Final = logging.getLogger("poolse.realtime")
_HOOKS: Final = logging.getLogger("poolse.hooks")

Info = RequestInfo | ResponseInfo | RetryInfo | RealtimeInfo


class ClientObservers:
    """All observers of a client."""

    def __init__(self, hooks: Sequence[Hooks], *, asynchronous: bool) -> None:
        self._asynchronous = asynchronous
        self.tally = RequestCounter(self._guard())
        renew_after_fork(self._renew)
        self._hooks = {kind: _named(kind, hooks) for kind in get_args(Kind)}
        self._has_calls = any(self._hooks[kind] for kind in self._hooks if kind != "on_realtime")

    @property
    def listens(self) -> bool:
        """Whether a call is worth telling of."""
        return self._has_calls or _CALLS.isEnabledFor(logging.DEBUG)

    @property
    def listens_to_realtime(self) -> bool:
        """Whether what becomes of sockets is worth telling."""
        return bool(self._hooks["on_realtime"]) or _REALTIME.isEnabledFor(logging.DEBUG)

    def clock(self) -> float:
        """Seconds, of a clock that only goes forward."""
        return time.perf_counter()

    def _guard(self) -> AbstractContextManager[object]:
        return nullcontext() if self._asynchronous else threading.Lock()

    def _renew(self) -> None:
        self.tally.renew(self._guard())

    def realtime(self, info: RealtimeInfo) -> object:
        """Tell everybody of a socket. In an async client the result is to be awaited."""
        told = self.tell("on_realtime", info)
        return told if self._asynchronous else run_sync(told)

    async def tell(self, kind: Kind, info: Info) -> None:
        """Tell the log and the hooks. What a hook raises is logged."""
        log = _REALTIME if kind == "on_realtime" else _CALLS
        if log.isEnabledFor(logging.DEBUG):
            message, fields = record(info)
            log.debug(message, extra=fields)
        for hook in self._hooks[kind]:
            try:
                told = hook(info)
                if not self._asynchronous:
                    not_awaitable(kind, told)
                elif inspect.isawaitable(told):
                    await told
            except Exception:
                _HOOKS.exception("the hook %s failed", kind, extra={"poolse_hook": kind})


def _named(kind: Kind, hooks: Sequence[Hooks]) -> list[Callable[[Info], object]]:
    named = (getattr(one, kind) for one in hooks)
    # Each kind of info goes to the hooks of that name, which take it.
    return [cast("Callable[[Info], object]", hook) for hook in named if hook is not None]
