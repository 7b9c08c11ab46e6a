"""When to reconnect and to rejoin: what a failure means, delays, and the memory of failures.

All of it is tables and arithmetic. The machines look up a `Policy` and know no client but ours;
with the official client's values in it they do what that one was recorded doing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import attrs

__all__ = [
    "AT_FIRST",
    "HANDSHAKES",
    "NO_CLOSE_FRAME",
    "PAUSES",
    "TERMINAL_REASONS",
    "UNANSWERED",
    "UNMATCHED_TOPIC",
    "ConnectionHistory",
    "FinalAfter",
    "Pause",
    "Policy",
    "Rejoin",
    "Streak",
    "Verdict",
    "close_verdict",
    "reconnect_delay",
    "rejoin_delay",
]

Verdict = Literal["retry", "refresh", "final"]

_FIRST_LONG_DELAY: Final = 5.0
_LONGEST_DELAY: Final = 30.0

UNMATCHED_TOPIC: Final = "unmatched topic"
"""The server's reason when it has no such channel, to a join as to a push."""

TERMINAL_REASONS: Final = frozenset({"unauthorized", "forbidden", "not_found", UNMATCHED_TOPIC})
"""Reasons of a refused join that time does not heal."""

HANDSHAKES: Final[Mapping[int, Verdict]] = {
    300: "final",
    301: "final",
    302: "final",
    303: "final",
    307: "final",
    308: "final",
    400: "final",
    401: "refresh",
    403: "refresh",
    404: "final",
    426: "final",
}
"""What a refused handshake means. Whatever is not here is an outage."""


UNANSWERED: Final = 0
"""Close code for a connection that we gave up, because the server did not reply."""

NO_CLOSE_FRAME: Final = 1006
"""Stands among the close codes for a connection that ended without a close frame."""


@attrs.frozen
class Pause:
    """Wait at least `least` seconds, and a random part of `spread` seconds more."""

    least: float
    spread: float


PAUSES: Final[Mapping[int, Pause]] = {
    UNANSWERED: Pause(0.0, 0.0),
    NO_CLOSE_FRAME: Pause(0.0, 0.0),
    1001: Pause(0.5, 4.5),
    1013: Pause(5.0, 5.0),
}
"""What is waited after a close besides the backoff, by close code; `Policy.pause` for all others.

A close frame is a decision of the server, which closes many connections at once: their clients
come back over 5 s. A connection that ends without one may be the only one, so that the backoff's
first 2 s are enough.
"""


@attrs.frozen
class FinalAfter:
    """A refusal lasts when it came `times` times in a row, over at least `seconds`."""

    times: int
    seconds: float


@attrs.define
class Streak:
    """Refusals in a row: how many, and since when."""

    count: int = 0
    since: float = 0.0

    def add(self, now: float) -> None:
        """Count one refusal more."""
        if not self.count:
            self.since = now
        self.count += 1

    def lasts(self, limit: FinalAfter | None, now: float) -> bool:
        """Return whether the limit is reached. None is never reached."""
        return limit is not None and self.count >= limit.times and now - self.since >= limit.seconds


AT_FIRST: Final[Mapping[Verdict, FinalAfter]] = {
    "final": FinalAfter(1, 0.0),
    "refresh": FinalAfter(2, 0.0),
}
"""What is final before the first success, when a wrong address or key is the likely reason: any
refusal, and a token only after one refresh."""


@attrs.frozen(kw_only=True)
class Policy:
    """Where we differ on purpose. In brackets, what the official client does.

    Five more differences are numbers of `RealtimeSettings`: `reconnect_delays` [10 ms to 2 s, then
    5 s], `joins_at_once` [all], `stable_after` [0: the backoff starts over as soon as a connection
    is open], `heartbeat_timeout` [30 s, as the interval] and `leave_timeout` [0: a channel counts
    as left before the server has said so]. Jitter is a matter of the random source [none].
    """

    handshakes: Mapping[int, Verdict] = HANDSHAKES
    """Refused handshakes that are no outage, by HTTP status. [None: it cannot see the status.]"""
    lasting: FinalAfter | None = FinalAfter(10, 300.0)
    """When a refusal is final although the server has accepted us before: of handshakes, of joins
    of a channel that was joined, and closes with 1008. A deploy refuses for a moment; before the
    first success one refusal is enough, two of a token or of a join. [None: it tries for ever.]"""
    pauses: Mapping[int, Pause] = PAUSES
    """By close code, what is waited besides the backoff. [After a missed heartbeat, 150 ms for the
    close of the old transport; else nothing.]"""
    pause: Pause = Pause(0.0, 5.0)
    """The same for a close code that is not in `pauses`. [Nothing.]"""
    refused: Pause = Pause(0.5, 0.0)
    """The same after a refused handshake, so that a fresh token is not tried in the same moment.
    [Nothing.]"""
    terminal_reasons: frozenset[str] = TERMINAL_REASONS
    """Refusals of a join that time seldom heals: final when they come twice, or last. [None is.]"""
    unmatched_rejoins: bool = True
    """Whether the reply "unmatched topic" to a push makes us join the channel again, which the
    server has lost. [Only the push fails, and all that follow.]"""
    delivers_in: frozenset[str] = frozenset({"joined"})
    """States of a channel in which events are handed on; those that come while it joins wait for
    the reply. [All states but the last: nothing waits.]"""
    lost_pushes_fail: bool = True
    """Whether what was sent, and had no reply when the join was lost, fails immediately. [It runs
    into its time-out.]"""
    stale_diffs_dropped: bool = True
    """Whether presence diffs that waited for a state are dropped with the join that they came
    under. [They are applied after the next state, and plant users who have left.]"""
    token_in_url: bool = True
    """Whether the token is a parameter of the URL, as poolse wants it. [Since 1.8 also: a
    subprotocol.]"""


def close_verdict(handshakes: Mapping[int, Verdict], status: int | None) -> Verdict:
    """Return what to do after a handshake refused with an HTTP status; None for no response."""
    return "retry" if status is None else handshakes.get(status, "retry")


def reconnect_delay(delays: Sequence[float], attempt: int, pause: Pause, random: float) -> float:
    """Return the seconds before the next attempt: a random part of a span that grows.

    The whole span is random, so that clients that were closed together do not come back together.

    Args:
        delays: Spans of the first attempts. Later ones double from 5 s to 30 s.
        attempt: How many attempts failed before.
        pause: What is waited besides.
        random: Between 0 and 1.
    """
    if attempt < len(delays):
        span = delays[attempt]
    else:
        # Beyond eight doublings the cap holds anyway; a large power would overflow.
        span = min(_LONGEST_DELAY, _FIRST_LONG_DELAY * 2.0 ** min(attempt - len(delays), 8))
    return pause.least + random * max(span, pause.spread)


def rejoin_delay(delays: Sequence[float], attempt: int, random: float) -> float:
    """Return the wait before the next join: at least half of the delay, to slow a crash loop."""
    return (0.5 + 0.5 * random) * delays[min(attempt, len(delays) - 1)]


@attrs.frozen
class Rejoin:
    """When a topic may be joined again after a failure, and how many failures there were."""

    attempt: int
    due: float


class ConnectionHistory:
    """What the sockets of a client remember together, longer than one socket or channel lives.

    A user's error handler may connect again, or acquire a channel again, each time that one fails.
    The wait that was due must survive that, or the handler makes a hot loop of the backoff.
    """

    def __init__(self, remembered_for: float) -> None:
        """Create an empty one.

        Args:
            remembered_for: Seconds after the end of its wait for which a failure counts.
        """
        self.has_connected = False
        """Whether the server has accepted a socket of this client before."""
        self._remembered_for = remembered_for
        self._rejoins: dict[str, Rejoin] = {}

    def join_failed(self, topic: str, rejoin: Rejoin, now: float) -> None:
        """Remember the wait of a topic."""
        # At the end, so that the oldest are in front, and go when their time is over.
        self._rejoins.pop(topic, None)
        self._rejoins[topic] = rejoin
        while self._is_over(next(iter(self._rejoins.values())), now):
            del self._rejoins[next(iter(self._rejoins))]

    def joined(self, topic: str) -> None:
        """Forget the failures of a topic."""
        self._rejoins.pop(topic, None)

    def rejoin(self, topic: str, now: float) -> Rejoin:
        """Return the wait of a topic, with no failures when there is none."""
        rejoin = self._rejoins.get(topic)
        return Rejoin(0, now) if rejoin is None or self._is_over(rejoin, now) else rejoin

    def _is_over(self, rejoin: Rejoin, now: float) -> bool:
        return now > rejoin.due + self._remembered_for
