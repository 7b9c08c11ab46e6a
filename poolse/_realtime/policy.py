"""What is decided otherwise than by the official client, each by its name; delays and verdicts.

All of it is tables and arithmetic. The machines look up a `Policy` and know no client but ours;
with the official client's values in it they do what that one was recorded doing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import attrs

__all__ = [
    "HANDSHAKES",
    "PAUSES",
    "TERMINAL_REASONS",
    "UNANSWERED",
    "UNMATCHED_TOPIC",
    "Pause",
    "Policy",
    "after_close",
    "reconnect_delay",
    "rejoin_delay",
    "verdict",
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


@attrs.frozen
class Pause:
    """So long at least, and up to so much longer: the clients of a server do not come at once."""

    least: float
    spread: float


# Going away, restarting (all clients come back at once, so they are spread), and overloaded.
UNANSWERED: Final = 0
"""Stands among the close codes for a connection that we gave up, because nobody answered."""

PAUSES: Final[Mapping[int, Pause]] = {
    1001: Pause(0.5, 0.0),
    1012: Pause(0.0, 5.0),
    1013: Pause(5.0, 5.0),
}
"""Some close codes ask for more time than the backoff gives."""


@attrs.frozen(kw_only=True)
class Policy:
    """Where we differ on purpose. In brackets, what the official client does.

    Three more differences are numbers of `RealtimeSettings`: `stable_after` [0: the backoff starts
    over as soon as a connection is open], `heartbeat_timeout` [30 s, as the interval] and
    `leave_timeout` [0: a channel counts as left before the server has said so]. Jitter is a matter
    of the random source [none].
    """

    handshakes: Mapping[int, Verdict] = HANDSHAKES
    """Refused handshakes that are no outage, by HTTP status. [None: it cannot see the status.]"""
    max_policy_closes: int | None = 3
    """So many closes with 1008 in a row are final: the server dislikes us, not the moment.
    [None: it comes back for ever.]"""
    pauses: Mapping[int, Pause] = PAUSES
    """By close code, what is waited where it is longer than the backoff. [After a missed heartbeat,
    150 ms for the close of the old transport; else nothing.]"""
    terminal_reasons: frozenset[str] = TERMINAL_REASONS
    """Refusals of a join that are final when they come twice. [None is.]"""
    hears_in: frozenset[str] = frozenset({"joined"})
    """States of a channel in which events are handed on; those that come while it joins wait for
    the reply. [All states but the last: nothing waits.]"""
    lost_pushes_fail: bool = True
    """Whether what was sent, and not answered when the join was lost, fails at once. [It runs into
    its time-out.]"""
    stale_diffs_dropped: bool = True
    """Whether presence diffs that waited for a state are dropped with the join that they came
    under. [They are applied after the next state, and plant users who have left.]"""
    token_in_url: bool = True
    """Whether the token is a parameter of the URL, as poolse wants it. [Since 1.8 also: a
    subprotocol.]"""


def verdict(handshakes: Mapping[int, Verdict], status: int | None) -> Verdict:
    """What to do about a handshake refused with this HTTP status; None when there was no answer."""
    return "retry" if status is None else handshakes.get(status, "retry")


def reconnect_delay(delays: Sequence[float], attempt: int, random: float) -> float:
    """Seconds before the next attempt: a random part of a span that grows."""
    if attempt < len(delays):
        return random * delays[attempt]
    # Beyond eight doublings the cap holds anyway; a large power would overflow.
    return random * min(_LONGEST_DELAY, _FIRST_LONG_DELAY * 2.0 ** min(attempt - len(delays), 8))


def rejoin_delay(delays: Sequence[float], attempt: int, random: float) -> float:
    """Seconds before the next join: at least half of the span, so that a crash loop is slow."""
    return (0.5 + 0.5 * random) * delays[min(attempt, len(delays) - 1)]


def after_close(pauses: Mapping[int, Pause], code: int, delay: float, random: float) -> float:
    """The delay that follows a close with this code, given the one that backoff asks for."""
    pause = pauses.get(code)
    return delay if pause is None else max(delay, pause.least + random * pause.spread)
