"""The threads of realtime: one drives each socket, and one calls the user's functions.

A thread waits so that Ctrl-C can end the wait at any point. `threading.Condition` enters and leaves
its lock in Python code: a KeyboardInterrupt that is raised there leaves the lock taken for ever,
and with it every other thread. So locks are taken by their own `with` only, which nothing
interrupts, and never while waiting.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import Final

from poolse._realtime.client import RealtimeClient, log_error
from poolse._realtime.queues import Call, QueueEnded
from poolse._realtime.settings import CLOSE_WAIT, RealtimeSettings
from poolse._realtime.socket import Socket
from poolse._realtime.sync_driver import Driver, GetToken
from poolse._support.argument_checks import not_awaitable
from poolse._support.fork_safety import renew_after_fork
from poolse.errors import PoolseError

__all__ = ["Wakeup", "Workers"]

_LOG: Final = logging.getLogger("poolse.realtime")

# Seconds. A Ctrl-C in the very moment in which a lock begins to wait is looked at when it is done
# waiting, and on Windows any is.
_LONGEST_WAIT: Final = 1.0


class Wakeup:
    """Wakes one thread. Set before it waits, it ends the next wait."""

    def __init__(self) -> None:
        self._is_clear = threading.Lock()
        self._is_clear.acquire()

    def set(self) -> None:
        """Wake the thread. A signal handler may do it, and any number of threads at a time."""
        try:
            self._is_clear.release()
        except RuntimeError:  # it is set, and nobody has waited since
            pass

    def wait(self, timeout: float | None = None) -> None:
        """Wait for `set`, for so many seconds at most. It may end earlier."""
        limit = _LONGEST_WAIT if timeout is None else min(timeout, _LONGEST_WAIT)
        self._is_clear.acquire(timeout=limit)


class Workers:
    """The core of realtime, and the threads that run it."""

    is_over: Final = False
    """Threads do not belong to an event loop that could be closed."""

    def __init__(
        self,
        settings: RealtimeSettings,
        get_token: GetToken,
        on_error: Callable[[PoolseError], object] | None,
    ) -> None:
        self._get_token = get_token
        self._due = Wakeup()
        self._threads: list[threading.Thread] = []
        self._context = copy_context()
        self.client: RealtimeClient = RealtimeClient(
            settings,
            clock=time.monotonic,
            random=random.random,
            # Callbacks may subscribe, leave and close, and those take it too.
            lock=threading.RLock(),
            process=os.getpid,
            start=self._start,
            wake_callbacks=self._due.set,
            on_error=on_error or log_error(_LOG.warning),
            context=self._context.copy(),
        )
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """In a forked child: what began in the parent raises in the child."""
        self.client.renew(threading.RLock())

    @property
    def is_running(self) -> bool:
        """Whether there are threads that only `close` ends."""
        return bool(self._threads) and not (self.client.closed or self.client.is_forked)

    def close(self) -> None:
        """End all threads, but for one that calls this. Doing it again does nothing."""
        if self.client.is_forked:
            return
        self.client.close()
        deadline = time.monotonic() + CLOSE_WAIT
        with self.client.lock:
            threads = [t for t in self._threads if t is not threading.current_thread()]
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _start(self, socket: Socket) -> None:
        """Start the driver of a new socket, which is the first sign that a thread is needed."""
        driver = Driver(self.client, socket, self._get_token)
        try:
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            if not self._threads:
                self._run("poolse-calls", self._make_calls)
            self._run("poolse-socket", driver.run)
        except BaseException:
            driver.abandon()
            raise

    def _run(self, name: str, work: Callable[[], None]) -> None:
        # With the context variables of where the client was made: it serves everybody.
        target = partial(self._context.copy().run, work)
        # A daemon, so that a script that forgets `close` can end.
        thread = threading.Thread(target=target, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _make_calls(self) -> None:
        client, callbacks, lock = self.client, self.client.callbacks, self.client.lock
        report: Call | None = None
        try:
            while True:
                call = report
                if call is None:
                    with lock:
                        call = callbacks.next()
                report = None
                if call is None:
                    self._due.wait()
                    continue
                subscriber, argument = call
                try:
                    result = subscriber.context.run(subscriber.target, argument)
                    if result is not None:
                        not_awaitable("the callback", result)
                # Also SystemExit: a callback ends neither this thread nor the ones that follow.
                except BaseException as error:
                    _LOG.exception("a callback failed")
                    report = client.callback_failed(call, error)
        except QueueEnded:
            return
        except BaseException as error:
            _LOG.exception("the thread of the callbacks failed")
            client.callbacks_failed(error)
