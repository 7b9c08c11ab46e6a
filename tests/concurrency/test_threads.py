"""Sixty-four threads share one client, whatever they are interrupted at."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from poolse import Poolse
from poolse.testing import Sandbox

THREADS = 64


@pytest.fixture(autouse=True)
def hasty_switches() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


class Issuer:
    """A `get_token` whose tokens can be revoked, and which counts its calls."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.calls = 0
        self._sandbox = sandbox

    def __call__(self) -> str:
        self.calls += 1
        # Another life, another token.
        return self._sandbox.token("alice", lifetime=3600.0 + self.calls)


def test_one_refresh_serves_all(tls_sandbox: Sandbox) -> None:
    """All find the same token refused at the same time, three times in a row."""
    issuer = Issuer(tls_sandbox)
    together = threading.Barrier(THREADS)
    context = tls_sandbox.ssl_context()
    with (
        Poolse(api_url=tls_sandbox.url, get_token=issuer, ssl_context=context) as chat,
        ThreadPoolExecutor(THREADS) as pool,
    ):

        def show(_: int) -> str:
            together.wait()
            return chat.me.show().external_id

        for round_ in range(1, 4):
            assert set(pool.map(show, range(THREADS))) == {"alice"}
            assert issuer.calls == round_
            # What was handed out so far is too old now, which only the server knows.
            tls_sandbox.clock.advance(3700.0)
