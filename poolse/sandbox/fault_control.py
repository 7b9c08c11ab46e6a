"""The handle of the faults, for any thread: each is in force when its call returns."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Protocol, TypeVar

from poolse.sandbox.backend import Backend
from poolse.sandbox.errors import code_of
from poolse.sandbox.faults import (
    BroadcastFaults,
    CapPages,
    CutDownload,
    CutUpload,
    Drip,
    Drop,
    Fail,
    Fault,
    Latency,
    Match,
    RateLimit,
    RefuseHandshake,
    RefuseJoin,
)

__all__ = ["FaultControl"]

T = TypeVar("T")

_STORAGE = "/storage/*"


class Run(Protocol):
    """Runs a function on the sandbox's thread."""

    def __call__(self, function: Callable[[Backend], T]) -> T:
        """Give back what it gives."""
        ...


class FaultControl:
    """What goes wrong next, in force as soon as the call returns.

    Every fault of requests takes `times`, `path` and `method`, which choose the requests that meet
    it. A request meets at most one fault that replaces or breaks its response: of those that fit,
    the one that was armed first. `latency`, `cap_pages` and `forget_idempotency` act in addition.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    def clear(self) -> None:
        """Disarm all faults; requests that hang and muted sockets continue."""
        self._run(lambda backend: backend.faults.clear())

    def fail(
        self,
        status: int = 503,
        times: int | None = 1,
        retry_after: float | None = None,
        code: str | None = None,
        path: str | None = None,
        method: str | None = None,
    ) -> None:
        """Answer the next requests with an error, and do not do what they ask.

        The storage, whose paths are `/storage/*`, answers in XML, as it always does.

        Args:
            status: Of the response.
            times: How many requests; None for all until `clear`.
            retry_after: Seconds for the Retry-After header, left out when None.
            code: Of the envelope; None takes the usual one of the status.
            path: Only requests to this path, a shell pattern such as `/v1/*/messages`, without the
                query. None takes all.
            method: Only requests with this method. None takes all.
        """
        message = f"the sandbox was told to answer {status}"
        fault = Fail(status, code or code_of(status), message, retry_after)
        self._arm(fault, times, path, method)

    def limit_rate(
        self,
        requests: int,
        seconds: float,
        path: str | None = None,
        method: str | None = None,
        times: int | None = None,
    ) -> None:
        """Answer requests with 429 when there are more of them than this.

        The Retry-After header says when the span is over, by the clock of the sandbox: once
        `clock.advance` has gone past it, requests are taken again. Several limits hold at once.

        Args:
            requests: How many are taken in each span. The first one begins it.
            seconds: How long a span is.
            path: Only requests to this path, as in `fail`.
            method: Only requests with this method.
            times: How many requests are refused; None for all until `clear`.
        """
        self._arm(RateLimit(requests, seconds), times, path, method)

    def drop(
        self,
        times: int | None = 1,
        *,
        executed: bool = False,
        path: str | None = None,
        method: str | None = None,
    ) -> None:
        """Cut the connections of the next requests without a response.

        Args:
            times: How many requests; None for all until `clear`.
            executed: Whether the requests are carried out before.
            path: Only requests to this path, as in `fail`.
            method: Only requests with this method.
        """
        self._arm(Drop(executed), times, path, method)

    def lose_answers(
        self, times: int | None = 1, path: str | None = None, method: str | None = None
    ) -> None:
        """Carry out the next requests, but lose their responses: `drop(executed=True)`.

        Args:
            times: How many requests; None for all until `clear`.
            path: Only requests to this path, as in `fail`.
            method: Only requests with this method.
        """
        self.drop(times, executed=True, path=path, method=method)

    def forget_idempotency(
        self, times: int | None = None, path: str | None = None, method: str | None = None
    ) -> None:
        """Forget the responses kept for idempotency keys, and ignore the keys of the next requests.

        What is sent twice is done twice then, unless the client has chosen an id for it.

        Args:
            times: How many requests that have a key; None for all until `clear`.
            path: Only requests to this path, as in `fail`.
            method: Only requests with this method.
        """
        match = Match(path, method)
        checked = _checked(times)
        self._run(lambda backend: backend.forget_idempotency(checked, match))

    def latency(
        self,
        seconds: float,
        times: int | None = None,
        path: str | None = None,
        method: str | None = None,
    ) -> None:
        """Delay responses. What is asked for is done at once, and other faults are met too.

        Of several latencies that fit a request, the last one counts.

        Args:
            seconds: How much later.
            times: How many responses; None for all until `clear`.
            path: Only requests to this path, as in `fail`.
            method: Only requests with this method.
        """
        self._arm(Latency(seconds), times, path, method)

    def hang(
        self, times: int | None = 1, path: str | None = None, method: str | None = None
    ) -> None:
        """Let the next requests wait for their responses until `release`.

        Args:
            times: How many requests; None for all until `clear`.
            path: Only requests to this path, as in `fail`.
            method: Only requests with this method.
        """
        match = Match(path, method)
        checked = _checked(times)
        self._run(lambda backend: backend.faults.hang(checked, match))

    def release(self) -> None:
        """Let requests that hang continue as if nothing had been, and no more hang."""
        self._run(lambda backend: backend.faults.release())

    def drip(
        self,
        interval: float,
        path: str | None = None,
        method: str | None = None,
        times: int | None = 1,
    ) -> None:
        """Send the bodies of the next responses byte by byte.

        Args:
            interval: Seconds from one byte to the next.
            path: Only requests to this path, as in `fail`.
            method: Only requests with this method.
            times: How many requests; None for all until `clear`.
        """
        self._arm(Drip(interval), times, path, method)

    def cut_uploads(
        self,
        after: int,
        times: int | None = 1,
        path: str | None = None,
        method: str | None = "PUT",
    ) -> None:
        """Cut the connections of the next uploads while the file is on its way.

        Args:
            after: How many bytes of the file are read before, roughly: as many as come at once
                are read. A smaller file arrives whole.
            times: How many uploads; None for all until `clear`.
            path: Only uploads to this path, as in `fail`; None takes all of the storage.
            method: Only requests with this method.
        """
        self._arm(CutUpload(after), times, path or _STORAGE, method)

    def cut_downloads(
        self,
        after: int,
        times: int | None = 1,
        path: str | None = None,
        method: str | None = "GET",
    ) -> None:
        """End the connections of the next downloads while the file is on its way.

        Args:
            after: How many bytes of the response's body arrive before, exactly.
            times: How many downloads; None for all until `clear`.
            path: Only downloads of this path, as in `fail`; None takes all of the storage.
            method: Only requests with this method.
        """
        self._arm(CutDownload(after), times, path or _STORAGE, method)

    def expire_urls(
        self, times: int | None = 1, path: str | None = None, method: str | None = None
    ) -> None:
        """Let the storage find that the signed URLs of the next requests have expired.

        Args:
            times: How many requests; None for all until `clear`.
            path: Only requests to this path, as in `fail`; None takes all of the storage.
            method: Only requests with this method.
        """
        expired = Fail(403, "access_denied", "Request has expired")
        self._arm(expired, times, path or _STORAGE, method)

    def cap_pages(
        self,
        rows: int | None,
        times: int | None = None,
        path: str | None = None,
        method: str | None = None,
    ) -> None:
        """Put no more messages or replies into a page than this, whatever is asked for.

        Args:
            rows: At least 1; None for the usual limits.
            times: How many pages; None for all until `clear`.
            path: Only requests to this path, as in `fail`.
            method: Only requests with this method.
        """
        if rows is None:
            self._run(lambda backend: backend.faults.disarm(CapPages))
            return
        if rows < 1:
            raise ValueError(
                f"cap_pages needs at least 1 row, not {rows}: an empty page is the end"
            )
        self._arm(CapPages(rows), times, path, method)

    def drop_sockets(self, code: int | None = None, *, external_id: str | None = None) -> None:
        """End every open socket.

        Args:
            code: Of the close frame; None cuts the connections without one.
            external_id: End the sockets of this user only.
        """
        self._run(lambda backend: backend.drop_sockets(code, external_id))

    def disturb_broadcasts(
        self,
        *,
        lost: float = 0.0,
        doubled: float = 0.0,
        delayed: float = 0.0,
        seconds: float = 0.5,
        seed: int | None = None,
    ) -> None:
        """Let broadcasts be lost, come twice, or be overtaken, until `clear`.

        Each socket has its own luck. Replies to pushes and presence arrive as always.

        Args:
            lost: Share of those that do not arrive, between 0 and 1.
            doubled: Share of those that arrive twice.
            delayed: Share of those that arrive later.
            seconds: How much later at most.
            seed: The same one gives the same luck.
        """

        def disturb(broadcasts: BroadcastFaults) -> None:
            broadcasts.lost, broadcasts.doubled = lost, doubled
            broadcasts.delayed, broadcasts.seconds = delayed, seconds
            broadcasts.random = Random(seed).random

        self._run(lambda backend: disturb(backend.faults.broadcasts))

    def crash(self, topic: str) -> None:
        """Crash the channels of all who joined a topic: they get `phx_error`."""
        self._run(lambda backend: backend.phoenix.crash(backend.registry.members(topic)))

    def close_channel(self, topic: str) -> None:
        """End the channels of all who joined a topic: they get `phx_close`."""
        self._run(lambda backend: backend.phoenix.close(backend.registry.members(topic)))

    def refuse_joins(self, reason: str, times: int | None = 1, topic: str | None = None) -> None:
        """Refuse the next joins with a reason.

        Args:
            reason: Of the reply.
            times: How many joins; None for all until `clear`.
            topic: Only joins of this topic, a shell pattern such as `user:*`. None takes all.
        """
        self._arm(RefuseJoin(reason), times, topic, None)

    def refuse_handshakes(self, status: int = 403, times: int | None = 1) -> None:
        """Answer the next WebSocket handshakes with a status instead of 101.

        Args:
            status: Of the response.
            times: How many handshakes; None for all until `clear`.
        """
        self._arm(RefuseHandshake(status), times, None, None)

    def mute(self) -> None:
        """Send nothing more on any socket, now or later opened, but go on reading.

        Handshakes still succeed. What is to be sent meanwhile is held back, as on a link that
        lost its way in one direction; heartbeat replies, pongs and close frames too.
        """
        self._run(lambda backend: backend.faults.sending.clear())

    def unmute(self) -> None:
        """Send again, first what was held back."""
        self._run(lambda backend: backend.faults.sending.set())

    def _arm(self, fault: Fault, times: int | None, path: str | None, method: str | None) -> None:
        match = Match(path, method)
        checked = _checked(times)
        self._run(lambda backend: backend.faults.arm(fault, checked, match))


def _checked(times: int | None) -> int | None:
    if times is not None and times < 0:
        raise ValueError(f"times must not be negative: {times}")
    return times
