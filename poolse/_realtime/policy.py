"""Delays and verdicts: when to come back, and when not to. All of it is tables and arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import attrs

__all__ = [
    "MAX_POLICY_CLOSES",
    "PAUSES",
    "TERMINAL_REASONS",
    "UNMATCHED_TOPIC",
    "Pause",
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

MAX_POLICY_CLOSES: Final = 3
"""So many closes with 1008 in a row are final. The server dislikes us, not the moment."""

# What a refused handshake means. Whatever is not here is an outage.
_HANDSHAKES: Final[Mapping[int, Verdict]] = {
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


@attrs.frozen
class Pause:
    """So long at least, and up to so much longer: the clients of a server do not come at once."""

    least: float
    spread: float


# Going away, restarting (all clients come back at once, so they are spread), and overloaded.
PAUSES: Final[Mapping[int, Pause]] = {
    1001: Pause(0.5, 0.0),
    1012: Pause(0.0, 5.0),
    1013: Pause(5.0, 5.0),
}
"""Some close codes ask for more time than the backoff gives."""


def verdict(status: int | None) -> Verdict:
    """What to do about a handshake refused with this HTTP status; None when there was no answer."""
    return "retry" if status is None else _HANDSHAKES.get(status, "retry")


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
