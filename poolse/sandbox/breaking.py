"""The handle of the faults, for any thread: each is in force when its call returns."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Protocol, TypeVar

from poolse.sandbox.backend import Backend
from poolse.sandbox.faults import CutDownload, CutUpload, Drip, Drop, Fail, Fault, Match
from poolse.sandbox.losses import Losses
from poolse.sandbox.refusals import code_of

__all__ = ["FaultControl"]

T = TypeVar("T")

_STORAGE = "/storage/*"


class Run(Protocol):
    """Runs a function on the sandbox's thread."""

    def __call__(self, function: Callable[[Backend], T]) -> T:
        """Give back what it gives."""
        ...


class FaultControl:
    """What goes wrong next. Faults of REST are met in the order in which they were armed."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def clear(self) -> None:
        """Take away everything that is armed or in force; what hangs or was muted goes on."""
        self._run(lambda backend: backend.clear_faults())

    def fail(
        self,
        status: int = 503,
        times: int = 1,
        retry_after: float | None = None,
        code: str | None = None,
        path: str | None = None,
        method: str | None = None,
    ) -> None:
        """Let the next requests be answered with an error, and do not what they ask.

        The storage, whose paths are `/storage/*`, answers in XML, as it always does.

        Args:
            status: Of the answer.
            times: How many requests.
            retry_after: Seconds for the Retry-After header, left out when None.
            code: Of the envelope; None takes the usual one of the status.
            path: Only requests to this path, as a shell pattern such as `/v1/*/messages`,
                without the query. None takes all.
            method: Only requests with this method. None takes all.
        """
        told = f"the sandbox was told to answer {status}"
        self._arm(Fail(status, code or code_of(status), told, retry_after), times, path, method)

    def limit_rate(
        self, requests: int, seconds: float, path: str | None = None, method: str | None = None
    ) -> None:
        """Let requests be answered with 429 when there are more of them than this, until `clear`.

        The answer's Retry-After says when the span is over, by the clock of the sandbox: once
        `clock.advance` has gone past it, requests are taken again.

        Args:
            requests: How many are taken in each span. The first one begins it.
            seconds: How long a span is.
            path: Only requests to this path, as in `fail`.
            method: Only requests with this method.
        """
        match = Match(path, method)
        self._run(lambda backend: backend.faults.limit_rate(requests, seconds, match))

    def drop(
        self,
        times: int = 1,
        *,
        executed: bool = False,
        path: str | None = None,
        method: str | None = None,
    ) -> None:
        """Let the connections of the next requests be cut without an answer.

        Args:
            times: How many requests.
            executed: Whether they are carried out before.
            path: Only requests to this path, as in `fail`.
            method: Only requests with this method.
        """
        self._arm(Drop(executed), times, path, method)

    def lose_answers(
        self, times: int = 1, path: str | None = None, method: str | None = None
    ) -> None:
        """Let the next requests be carried out, but their answers be lost: `drop(executed=True)`.

        Args:
            times: How many requests.
            path: Only requests to this path, as in `fail`.
            method: Only requests with this method.
        """
        self.drop(times, executed=True, path=path, method=method)

    def forget_idempotency(self) -> None:
        """Forget every answer kept for an idempotency key, and keep none until `clear`.

        What is sent twice is done twice then, unless the client has chosen an id for it.
        """
        self._run(lambda backend: backend.forget_idempotency())

    def latency(
        self,
        seconds: float,
        times: int | None = None,
        path: str | None = None,
        method: str | None = None,
    ) -> None:
        """Let answers come later. What is asked for is done at once, and other faults are met too.

        Of several latencies that fit a request, the last one counts.

        Args:
            seconds: How much later.
            times: How many answers; None for all until `clear`.
            path: Only requests to this path, as in `fail`.
            method: Only requests with this method.
        """
        match = Match(path, method)
        self._run(lambda backend: backend.faults.delay(seconds, times, match))

    def hang(self, times: int = 1, path: str | None = None, method: str | None = None) -> None:
        """Let the next requests wait for their answers until `release`.

        Args:
            times: How many requests.
            path: Only requests to this path, as in `fail`.
            method: Only requests with this method.
        """
        match = Match(path, method)
        self._run(lambda backend: backend.faults.hang(times, match))

    def release(self) -> None:
        """Let everything that hangs go on as if nothing had been, and let no more hang."""
        self._run(lambda backend: backend.faults.release())

    def drip(self, interval: float, path: str | None = None, method: str | None = None) -> None:
        """Let the next answer's body come byte by byte, each `interval` seconds after the last.

        Args:
            interval: Seconds from one byte to the next.
            path: Only a request to this path, as in `fail`.
            method: Only a request with this method.
        """
        self._arm(Drip(interval), 1, path, method)

    def cut_uploads(self, after: int, times: int = 1, path: str | None = None) -> None:
        """Let the connections of the next uploads be cut while the file is on its way.

        Args:
            after: How many bytes of the file are read before, roughly: as many as come at once
                are read. A smaller file arrives whole.
            times: How many uploads.
            path: Only those to this path, as in `fail`; None takes all of the storage.
        """
        self._arm(CutUpload(after), times, path or _STORAGE, "PUT")

    def cut_downloads(self, after: int, times: int = 1, path: str | None = None) -> None:
        """Let the connections of the next downloads end while the file is on its way.

        Args:
            after: How many bytes of the answer's body arrive before, exactly.
            times: How many downloads.
            path: Only those of this path, as in `fail`; None takes all of the storage.
        """
        self._arm(CutDownload(after), times, path or _STORAGE, "GET")

    def expire_urls(
        self, times: int = 1, path: str | None = None, method: str | None = None
    ) -> None:
        """Let the storage find that the signed URLs of the next requests have expired.

        Args:
            times: How many requests.
            path: Only those to this path, as in `fail`; None takes all of the storage.
            method: Only requests with this method.
        """
        expired = Fail(403, "access_denied", "Request has expired")
        self._arm(expired, times, path or _STORAGE, method)

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

        def disturb(losses: Losses) -> None:
            losses.lost, losses.doubled = lost, doubled
            losses.delayed, losses.seconds = delayed, seconds
            losses.random = Random(seed).random

        self._run(lambda backend: disturb(backend.faults.losses))

    def cap_pages(self, rows: int | None) -> None:
        """Let pages of messages and replies hold no more rows than this, whatever is asked for.

        Args:
            rows: At least 1; None for the usual limits.
        """

        def cap(losses: Losses) -> None:
            losses.page_cap = rows

        self._run(lambda backend: cap(backend.faults.losses))

    def crash(self, topic: str) -> None:
        """Crash the channels of all who joined a topic: they get `phx_error`."""
        self._run(lambda backend: backend.phoenix.crash(backend.hub.members(topic)))

    def close_channel(self, topic: str) -> None:
        """End the channels of all who joined a topic: they get `phx_close`."""
        self._run(lambda backend: backend.phoenix.close(backend.hub.members(topic)))

    def refuse_joins(self, reason: str, times: int = 1) -> None:
        """Let the next joins be refused with a reason."""
        self._run(lambda backend: backend.faults.refuse_joins(reason, times))

    def refuse_handshakes(self, status: int = 403, times: int = 1) -> None:
        """Let the next WebSocket handshakes be answered with a status instead of 101."""
        self._run(lambda backend: backend.faults.refuse_handshakes(status, times))

    def mute(self) -> None:
        """Send nothing more on any socket, now or later opened, but go on reading.

        Handshakes still succeed. What is to be sent meanwhile is held back, as on a link that
        lost its way in one direction; heartbeat replies, pongs and close frames too.
        """
        self._run(lambda backend: backend.faults.sending.clear())

    def unmute(self) -> None:
        """Send again, first what was held back."""
        self._run(lambda backend: backend.faults.sending.set())

    def _arm(self, fault: Fault, times: int, path: str | None, method: str | None) -> None:
        match = Match(path, method)
        self._run(lambda backend: backend.faults.arm(fault, times, match))
