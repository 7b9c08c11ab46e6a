"""After a storm of cancellations every connection of the pool is still there.

Bare httpx 0.28 loses all of them in six seconds (tests/bench/async_transport.py counts).
"""

from __future__ import annotations

import ssl
from collections.abc import Callable

import pytest

from tests.concurrency.hanging_servers import FINE
from tests.concurrency.random_cancellation import POOL, Meeting, storm, storm_async, storm_by_token
from tests.http.raw_server import RawServer

STORMS = [storm, storm_async, storm_by_token]
KINDS = pytest.mark.parametrize("storm", STORMS, ids=["sync", "async", "async by token"])
TLS = pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])

Storm = Callable[..., list[object]]


def blow(
    storm: Storm, seconds: float, seed: int, server: ssl.SSLContext | None, client: ssl.SSLContext
) -> None:
    with RawServer(Meeting(), server) as wire:
        assert storm(seconds, seed, api_url=wire.base, ssl_context=client) == [FINE] * POOL


@KINDS
@TLS
def test_every_later_call_succeeds(
    storm: Storm, tls: bool, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    blow(storm, 0.7, 1, server_tls if tls else None, client_tls)


@pytest.mark.soak
@KINDS
@TLS
@pytest.mark.parametrize("seed", range(4))
def test_every_later_call_succeeds_after_six_seconds(
    storm: Storm, tls: bool, seed: int, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    blow(storm, 6.0, seed, server_tls if tls else None, client_tls)
