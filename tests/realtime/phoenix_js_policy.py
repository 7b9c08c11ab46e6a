"""The core as the official client: every difference of ours switched to what that one does.

Randomness has to say 1 besides, since it knows no jitter.
"""

from __future__ import annotations

from poolse._realtime.reconnect_policy import UNANSWERED, Pause, Policy
from poolse._realtime.settings import RealtimeSettings

__all__ = ["OFFICIAL"]

OFFICIAL = RealtimeSettings(
    url="ws://h/socket",
    reconnect_delays=(0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.5, 1.0, 2.0),
    joins_at_once=1000,
    heartbeat_timeout=30.0,
    stable_after=0.0,
    leave_timeout=0.0,
    policy=Policy(
        handshakes={},
        lasting=None,
        # It looks after 150 ms whether the old transport has closed, and then waits its 10 ms.
        pauses={UNANSWERED: Pause(0.15, 0.0)},
        pause=Pause(0.0, 0.0),
        refused=Pause(0.0, 0.0),
        terminal_reasons=frozenset(),
        unmatched_rejoins=False,
        delivers_in=frozenset({"closed", "joining", "joined", "errored", "leaving"}),
        lost_pushes_fail=False,
        stale_diffs_dropped=False,
        token_in_url=False,
    ),
)
