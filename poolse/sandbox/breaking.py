"""The handle of the faults, for any thread: each is in force when its call returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from poolse.sandbox.backend import Backend
from poolse.sandbox.faults import Drip, Drop, Fail
from poolse.sandbox.refusals import code_of

__all__ = ["FaultControl"]

T = TypeVar("T")


class Run(Protocol):
    """Runs a function on the sandbox's thread."""

    def __call__(self, function: Callable[[Backend], T]) -> T:
        """Give back what it gives."""
        ...


class FaultControl:
    """What goes wrong next. Faults of REST are met in the order in which they were armed."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def fail(
        self,
        status: int = 503,
        times: int = 1,
        retry_after: float | None = None,
        code: str | None = None,
        path: str | None = None,
    ) -> None:
        """Let the next requests be answered with an error, and do not what they ask.

        Args:
            status: Of the answer.
            times: How many requests.
            retry_after: Seconds for the Retry-After header, left out when None.
            code: Of the envelope; None takes the usual one of the status.
            path: Only requests to this path, as a shell pattern such as `/v1/*/messages`,
                without the query. None takes all.
        """
        fault = Fail(status, code or code_of(status), retry_after)
        self._run(lambda backend: backend.faults.arm(fault, times, path))

    def drop(self, times: int = 1, *, executed: bool = False) -> None:
        """Let the connections of the next requests be cut without an answer.

        Args:
            times: How many requests.
            executed: Whether they are carried out before.
        """
        self._run(lambda backend: backend.faults.arm(Drop(executed), times))

    def hang(self, times: int = 1) -> None:
        """Let the next requests wait for their answers until `release`."""
        self._run(lambda backend: backend.faults.hang(times))

    def release(self) -> None:
        """Let everything that hangs go on as if nothing had been, and let no more hang."""
        self._run(lambda backend: backend.faults.release())

    def drip(self, interval: float) -> None:
        """Let the next answer's body come byte by byte, each `interval` seconds after the last."""
        self._run(lambda backend: backend.faults.arm(Drip(interval), 1))

    def drop_sockets(self, code: int | None = None, *, external_id: str | None = None) -> None:
        """End every open socket.

        Args:
            code: Of the close frame; None cuts the connections without one.
            external_id: End the sockets of this user only.
        """
        self._run(lambda backend: backend.drop_sockets(code, external_id))

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
