"""The targets as data: what is compared with what, and how far apart they may be."""

from __future__ import annotations

from typing import Final, Literal

import attrs

from tests.bench.worker import Turn

__all__ = ["TARGETS", "Target"]


@attrs.frozen
class Target:
    """One line of the table."""

    number: str
    work: str
    ours: str
    """The side of ours, as `module:function` below tests/bench."""
    beside: str | None
    """The side that it is compared with, in the same run; None for a limit in its own unit."""
    limit: float
    at_most: bool = True
    """Whether the limit is from above."""
    by: Literal["cpu", "value"] = "cpu"
    """Whether it is judged by the CPU time, which other programs hardly change, or by what the
    sides measure. Both sides do the same work in a turn."""
    rounds: int = 9
    unit: str = ""

    def is_met(self, measured: float) -> bool:
        return measured <= self.limit if self.at_most else measured >= self.limit

    def by_value(self, ours: Turn, beside: Turn | None) -> float:
        """What one round came to, by what was measured: mostly the time on the clock."""
        return ours.value if beside is None else ours.value / beside.value

    def by_cpu(self, ours: Turn, beside: Turn | None) -> float:
        """The same, by the CPU time."""
        if beside is None:
            return ours.cpu
        return ours.cpu / beside.cpu if self.at_most else beside.cpu / ours.cpu

    @property
    def sides(self) -> list[str]:
        return [self.ours] if self.beside is None else [self.ours, self.beside]


TARGETS: Final = (
    Target(
        "1",
        "sync messages.list(limit=50), against httpx.Client.get(url, params=…).json()",
        "rest:poolse_page",
        "rest:httpx_page",
        0.80,
        rounds=21,
    ),
    Target(
        "2",
        "sync me.show(), against httpx.Client.get(url).json()",
        "rest:poolse_show",
        "rest:httpx_show",
        0.70,
        rounds=21,
    ),
    Target(
        "2b",
        "64 threads on one client, server 20 ms away: a call, against 16 threads",
        "threads:poolse_64",
        "threads:poolse_16",
        1.3,
    ),
    Target(
        "2b",
        "64 threads on one client, server 20 ms away: calls/s against httpx.Client",
        "threads:poolse_64",
        "threads:httpx_64",
        3,
        at_most=False,
        by="value",
    ),
    Target(
        "3",
        "async messages.list(limit=50), against httpx.AsyncClient.get(url).json()",
        "rest:poolse_async_page",
        "rest:httpx_async_page",
        0.55,
        rounds=15,
    ),
    Target(
        "4",
        "100 tasks at once, calls/s against bare httpx.AsyncClient",
        "rest:poolse_hundred",
        "rest:httpx_hundred",
        7,
        at_most=False,
        by="value",
        rounds=7,
    ),
    Target(
        "5",
        "typed decode of the page, against orjson.loads",
        "decoding:decode_page",
        "decoding:loads_page",
        2.75,
        rounds=21,
    ),
    Target(
        "5b",
        "the same with an unknown key in each message, against the plain page",
        "decoding:decode_unknown_keys",
        "decoding:decode_page",
        1.45,
    ),
    Target(
        "5b",
        "the same with an unknown enum value in each message, against the plain page",
        "decoding:decode_unknown_values",
        "decoding:decode_page",
        1.05,
    ),
    Target(
        "6",
        "async events to one handler, against websockets recv + orjson.loads",
        "events:async_handler",
        "events:bare_websockets",
        0.72,
        at_most=False,
        rounds=31,
    ),
    Target(
        "7",
        "sync events to one handler, the same baseline",
        "events:sync_handler",
        "events:bare_websockets",
        0.72,
        at_most=False,
        rounds=31,
    ),
    Target(
        "8",
        "import poolse, against import httpx",
        "cold:import_poolse",
        "cold:import_httpx",
        0.20,
        by="value",
        rounds=5,
    ),
    Target(
        "9",
        "first sync call from a cold interpreter, against the same with bare httpx",
        "cold:script_poolse",
        "cold:script_httpx",
        1.0,
        rounds=9,
    ),
    Target(
        "10",
        "1,000 joined channels against 1: an event",
        "events:async_handlers",
        "events:async_handler_alone",
        1.1,
        rounds=31,
    ),
    Target(
        "11",
        "memory of 1,000 decoded messages, against the same as dicts",
        "decoding:rows_weight",
        "decoding:dicts_weight",
        0.75,
        by="value",
        rounds=3,
    ),
    Target(
        "12", "make generate, whole, from cold", "cold:generate", None, 1.0, rounds=3, unit=" s"
    ),
    Target(
        "13",
        "follow(): a message above the list loop, as a part of bare httpx's loop",
        "target_follow:above_the_list",
        "target_follow:httpx_list",
        0.12,
        by="value",
        rounds=9,
    ),
    Target(
        "14",
        "live state: a message in a conversation with 10,000, against one with 100",
        "states:event_at_10_000",
        "states:event_at_100",
        2,
    ),
    Target(
        "15",
        "live state: the same, against attrs.evolve of a snapshot",
        "states:event_at_10_000",
        "states:evolve",
        10,
    ),
    Target(
        "16",
        "live state: memory of 10,000 messages, against the same in a list",
        "states:state_weight",
        "states:models_weight",
        1.3,
        by="value",
        rounds=3,
    ),
    Target(
        "17",
        "live state: events to 100 states, against the same to callbacks",
        "states:events_to_states",
        "states:events_to_callbacks",
        0.5,
        at_most=False,
        by="value",
    ),
)
