"""The thirteen targets as data: what is compared with what, and how far apart they may be."""

from __future__ import annotations

from typing import Final

import attrs

__all__ = ["TARGETS", "Target"]


@attrs.frozen
class Target:
    """One line of the table."""

    number: int
    work: str
    ours: str
    """The side of ours, as `module:function` below tests/bench."""
    beside: str | None
    """The side that it is compared with, in the same run; None for a limit in its own unit."""
    limit: float
    at_most: bool = True
    """Whether the limit is from above."""
    rounds: int = 9
    unit: str = ""

    def is_met(self, measured: float) -> bool:
        return measured <= self.limit if self.at_most else measured >= self.limit

    @property
    def sides(self) -> list[str]:
        return [self.ours] if self.beside is None else [self.ours, self.beside]


TARGETS: Final = (
    Target(
        1,
        "sync messages.list(limit=50), against httpx.Client.get(url, params=…).json()",
        "rest:poolse_page",
        "rest:httpx_page",
        1.05,
        rounds=21,
    ),
    Target(
        2,
        "sync me.show(), against httpx.Client.get(url).json()",
        "rest:poolse_show",
        "rest:httpx_show",
        1.05,
        rounds=21,
    ),
    Target(
        3,
        "async messages.list(limit=50), against httpx.AsyncClient.get(url).json()",
        "rest:poolse_async_page",
        "rest:httpx_async_page",
        0.95,
        rounds=15,
    ),
    Target(
        4,
        "100 tasks at once, calls/s against bare httpx.AsyncClient",
        "rest:poolse_hundred",
        "rest:httpx_hundred",
        3,
        at_most=False,
        rounds=7,
    ),
    Target(
        5,
        "typed decode of the page, against orjson.loads",
        "decoding:decode_page",
        "decoding:loads_page",
        3.6,
        rounds=21,
    ),
    Target(
        6,
        "async events to one handler, events/s against websockets recv + orjson.loads",
        "events:async_handler",
        "events:bare_websockets",
        0.70,
        at_most=False,
        rounds=31,
    ),
    Target(
        7,
        "sync events to one handler, the same baseline",
        "events:sync_handler",
        "events:bare_websockets",
        0.45,
        at_most=False,
        rounds=31,
    ),
    Target(
        8,
        "import poolse, against import httpx",
        "cold:import_poolse",
        "cold:import_httpx",
        0.50,
        rounds=5,
    ),
    Target(
        9,
        "first sync call from a cold interpreter, against the same with bare httpx",
        "cold:script_poolse",
        "cold:script_httpx",
        1.3,
        rounds=9,
    ),
    Target(
        10,
        "1,000 joined channels against 1: time of one event",
        "events:async_handlers",
        "events:async_handler_alone",
        1.1,
        rounds=31,
    ),
    Target(
        11,
        "memory of 1,000 decoded messages, against the same as dicts",
        "decoding:rows_weight",
        "decoding:dicts_weight",
        0.8,
        rounds=3,
    ),
    Target(12, "make generate, whole, from cold", "cold:generate", None, 2.0, rounds=3, unit=" s"),
    Target(
        13,
        "follow(), backfill of 100,000 messages, against the bare loop of list calls",
        "backfill:follow_all",
        "backfill:list_all",
        1.15,
        rounds=9,
    ),
)
