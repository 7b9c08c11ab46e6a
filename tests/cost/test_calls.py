"""What a REST call, a row and an event may cost, counted in calls of Python functions.

The bounds are what was counted on Python 3.11, and a tenth more. Whoever makes a hot path longer
meets them here on any machine; whoever has a good reason raises them.
"""

from __future__ import annotations

import asyncio

import httpx

from poolse import AsyncPoolse, Poolse
from poolse._core.codec import decode
from poolse._generated.readers import read_message_list
from tests.bench import decoding
from tests.bench.canned import canned_server
from tests.bench.events import BURST, asynchronous
from tests.bench.rows import JWT, page
from tests.cost.counting import Count, calls_of

SYNC_CALL = 100
ASYNC_CALL = 110
ROW = 10
EVENT = 43

LIGHTER = 0.85
"""Bytes of rows, to those of the same as dicts."""


def test_a_sync_call_is_no_more_work_than_with_httpx_alone() -> None:
    with canned_server() as base:
        with httpx.Client() as client:
            bare = calls_of(lambda: client.get(f"{base}/v1/me").json(), 20)
        with Poolse(token=JWT, api_url=base) as chat:
            typed = calls_of(chat.me.show, 20)
    assert typed.ours <= SYNC_CALL
    assert typed.all <= bare.all


def test_an_async_call_is_half_the_work_of_one_with_httpx_alone() -> None:
    with canned_server() as base, asyncio.Runner() as runner:
        client = httpx.AsyncClient()
        bare = calls_of(lambda: runner.run(client.get(f"{base}/v1/me")).json(), 20)
        runner.run(client.aclose())
        chat = AsyncPoolse(token=JWT, api_url=base)
        typed = calls_of(lambda: runner.run(chat.me.show()), 20)
        runner.run(chat.aclose())
    assert typed.ours <= ASYNC_CALL
    assert typed.all <= bare.all / 2


def test_a_row() -> None:
    def counted(rows: int) -> Count:
        content = page(500, rows)
        return calls_of(lambda: decode(read_message_list, content), 3)

    assert (counted(60).ours - counted(10).ours) / 50 <= ROW


def test_an_event() -> None:
    with canned_server() as base, asynchronous(base, 1, bursts=4) as measure:
        assert calls_of(measure, 1, BURST * 4).ours <= EVENT


def test_rows_are_lighter_than_dicts() -> None:
    with decoding.rows_weight("") as rows, decoding.dicts_weight("") as dicts:
        assert rows() <= LIGHTER * dicts()
