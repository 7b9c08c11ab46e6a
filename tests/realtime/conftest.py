"""Fixtures of the tests that drive both bodies against a backend."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from poolse.testing import Sandbox
from tests.realtime.hostile_servers import TLS, both_ends
from tests.realtime.real_backend import World, make_world
from tests.realtime.sync_and_async import FLAVOURS


@pytest.fixture(
    params=[(flavour, tls) for flavour in FLAVOURS for tls in (False, True)],
    ids=["sync-ws", "sync-wss", "async-ws", "async-wss"],
)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A backend, and clients of both bodies, over both kinds of socket."""
    yield from make_world(request.param[0], tls=request.param[1])


@pytest.fixture(params=[False, True], ids=["ws", "wss"])
def sandbox(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A whole local backend, over both kinds of socket. Programs that a test starts trust it."""
    with Sandbox(tls=request.param) as server:
        if request.param:
            monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
        yield server


@pytest.fixture(params=["ws", "wss"])
def either_wire(request: pytest.FixtureRequest) -> Iterator[None]:
    """Servers of `hostile`, and clients made beside them, speak this."""
    mark = TLS.set(both_ends() if request.param == "wss" else None)
    yield
    TLS.reset(mark)
