"""Handle for the faults of a sandbox. Each fault is active when its call returns."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Protocol, TypeVar

from poolse.sandbox.backend import Backend
from poolse.sandbox.errors import code_of
from poolse.sandbox.fault_limits import check_limits
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
    LostAnswer,
    Match,
    RateLimit,
    RefuseHandshake,
    RefuseJoin,
    UrlExpired,
)

__all__ = ["FaultControl"]

T = TypeVar("T")

_STORAGE = "/storage/*"


class Run(Protocol):
    """Runs a function on the sandbox's thread."""

    def __call__(self, function: Callable[[Backend], T]) -> T:
        """Return the result of the function."""
        ...


class FaultControl:
    """Faults of a sandbox. Each is active when its call returns.

    Faults of requests have the arguments `times`, `path` and `method`, which select the affected
    requests. At most one fault replaces or breaks a response: the first armed one that matches.
    `latency`, `cap_pages` and `forget_idempotency` apply in addition.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    def clear(self) -> None:
        """Remove all faults. Hanging requests and muted sockets continue."""
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
        """Respond to the next requests with an error, without executing them.

        The object storage, whose paths are `/storage/*`, responds in XML, as usual.

        Args:
            status: HTTP status of the response.
            times: Number of requests; None for all until `clear`.
            retry_after: Seconds of the Retry-After header; None for no header.
            code: Error code of the envelope; None for the default of the status.
            path: Only requests to this path, a shell pattern such as `/v1/*/messages`, without the
                query. None for all.
            method: Only requests with this method. None for all.
        """
        message = f"injected fault: status {status}"
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
        """Limit the rate of requests. The server responds with 429 to any more.

        The Retry-After header has the time until the interval ends, by the clock of the sandbox.
        `clock.advance` past it admits requests again. Several limits may apply at once.

        Args:
            requests: Number of requests per interval. The first request starts an interval.
            seconds: Length of an interval.
            path: Only requests to this path, as in `fail`.
            method: Only requests with this method.
            times: Number of requests to refuse; None for all until `clear`.
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
        """Drop the connections of the next requests without a response.

        Args:
            times: Number of requests; None for all until `clear`.
            executed: Whether the requests are executed before.
            path: Only requests to this path, as in `fail`.
            method: Only requests with this method.
        """
        self._arm(Drop(executed), times, path, method)

    def lose_answers(
        self, times: int | None = 1, path: str | None = None, method: str | None = None
    ) -> None:
        """Execute the next requests, but lose their responses: `drop(executed=True)`.

        Args:
            times: Number of requests; None for all until `clear`.
            path: Only requests to this path, as in `fail`.
            method: Only requests with this method.
        """
        self._arm(LostAnswer(), times, path, method)

    def forget_idempotency(
        self, times: int | None = None, path: str | None = None, method: str | None = None
    ) -> None:
        """Forget all idempotency keys, and ignore the keys of the next requests.

        A request that is sent twice is then executed twice, unless the client chose an ID for the
        object.

        Args:
            times: Number of requests with a key; None for all until `clear`.
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
        """Delay responses. Requests are executed immediately, and other faults apply too.

        If several latencies match a request, the last one applies.

        Args:
            seconds: Delay in seconds.
            times: Number of responses; None for all until `clear`.
            path: Only requests to this path, as in `fail`.
            method: Only requests with this method.
        """
        self._arm(Latency(seconds), times, path, method)

    def hang(
        self, times: int | None = 1, path: str | None = None, method: str | None = None
    ) -> None:
        """Hang the next requests until `release`.

        Args:
            times: Number of requests; None for all until `clear`.
            path: Only requests to this path, as in `fail`.
            method: Only requests with this method.
        """
        match = Match(path, method)
        checked = _checked(times)
        self._run(lambda backend: backend.faults.hang(checked, match))

    def release(self) -> None:
        """Continue hanging requests normally, and hang no more requests."""
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
            interval: Seconds between two bytes.
            path: Only requests to this path, as in `fail`.
            method: Only requests with this method.
            times: Number of requests; None for all until `clear`.
        """
        self._arm(Drip(interval), times, path, method)

    def cut_uploads(
        self,
        after: int,
        times: int | None = 1,
        path: str | None = None,
        method: str | None = "PUT",
    ) -> None:
        """Drop the connections of the next uploads during the transfer.

        Args:
            after: Approximate number of bytes of the file to read before. A smaller file is
                received completely.
            times: Number of uploads; None for all until `clear`.
            path: Only uploads to this path, as in `fail`; None for the whole object storage.
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
        """Close the connections of the next downloads during the transfer.

        Args:
            after: Exact number of bytes of the response's body to send before.
            times: Number of downloads; None for all until `clear`.
            path: Only downloads of this path, as in `fail`; None for the whole object storage.
            method: Only requests with this method.
        """
        self._arm(CutDownload(after), times, path or _STORAGE, method)

    def expire_urls(
        self, times: int | None = 1, path: str | None = None, method: str | None = None
    ) -> None:
        """Treat the signed URLs of the next requests to the object storage as expired.

        Args:
            times: Number of requests; None for all until `clear`.
            path: Only requests to this path, as in `fail`; None for the whole object storage.
            method: Only requests with this method.
        """
        expired = UrlExpired(403, "access_denied", "Request has expired")
        self._arm(expired, times, path or _STORAGE, method)

    def cap_pages(
        self,
        rows: int | None,
        times: int | None = None,
        path: str | None = None,
        method: str | None = None,
    ) -> None:
        """Limit the size of pages of messages and replies, whatever `limit` is requested.

        Args:
            rows: Maximum number of messages per page, at least 1; None for the usual limits.
            times: Number of pages; None for all until `clear`.
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
        """Close all open sockets.

        Args:
            code: Code of the close frame; None drops the connections without a close frame.
            external_id: Close only the sockets of this user.
        """
        check_limits({"code": code})
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
        """Lose, duplicate or reorder broadcasts at random, until `clear`.

        Randomized per socket. Replies to pushes and presence are not affected.

        Args:
            lost: Share of lost broadcasts, from 0 to 1.
            doubled: Share of duplicated broadcasts.
            delayed: Share of delayed broadcasts.
            seconds: Maximum delay in seconds.
            seed: Seed of the random numbers.
        """
        check_limits({"lost": lost, "doubled": doubled, "delayed": delayed, "seconds": seconds})

        def disturb(broadcasts: BroadcastFaults) -> None:
            broadcasts.lost, broadcasts.doubled = lost, doubled
            broadcasts.delayed, broadcasts.seconds = delayed, seconds
            broadcasts.random = Random(seed).random

        self._run(lambda backend: disturb(backend.faults.broadcasts))

    def crash(self, topic: str) -> None:
        """Crash the channels of a topic: their clients receive `phx_error`."""
        self._run(lambda backend: backend.phoenix.crash(backend.registry.members(topic)))

    def close_channel(self, topic: str) -> None:
        """Close the channels of a topic: their clients receive `phx_close`."""
        self._run(lambda backend: backend.phoenix.close(backend.registry.members(topic)))

    def refuse_joins(self, reason: str, times: int | None = 1, topic: str | None = None) -> None:
        """Refuse the next joins with a reason.

        Args:
            reason: Reason in the reply.
            times: Number of joins; None for all until `clear`.
            topic: Only joins of this topic, a shell pattern such as `user:*`. None for all.
        """
        self._arm(RefuseJoin(reason), times, topic, None)

    def refuse_handshakes(self, status: int = 403, times: int | None = 1) -> None:
        """Refuse the next WebSocket handshakes with an HTTP status.

        Args:
            status: HTTP status of the response.
            times: Number of handshakes; None for all until `clear`.
        """
        self._arm(RefuseHandshake(status), times, None, None)

    def mute(self) -> None:
        """Stop sending on all sockets, current and future, but continue to read.

        Handshakes still succeed. Frames are held back until `unmute`, including heartbeat replies,
        pongs and close frames, as on a half-open connection.
        """
        self._run(lambda backend: backend.faults.sending.clear())

    def unmute(self) -> None:
        """Resume sending, starting with the frames that were held back."""
        self._run(lambda backend: backend.faults.sending.set())

    def _arm(self, fault: Fault, times: int | None, path: str | None, method: str | None) -> None:
        check_limits(vars(fault))
        match = Match(path, method)
        checked = _checked(times)
        self._run(lambda backend: backend.faults.arm(fault, checked, match))


def _checked(times: int | None) -> int | None:
    if times is not None and times < 0:
        raise ValueError(f"times must not be negative: {times}")
    return times
