"""Fixtures of the tests that drive both bodies against a backend."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.realtime.flavours import FLAVOURS
from tests.realtime.world import World, make_world


@pytest.fixture(params=FLAVOURS, ids=["sync", "async"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    yield from make_world(request.param, tls=False)


@pytest.fixture(
    params=[(flavour, tls) for flavour in FLAVOURS for tls in (False, True)],
    ids=["sync-ws", "sync-wss", "async-ws", "async-wss"],
)
def both_world(request: pytest.FixtureRequest) -> Iterator[World]:
    yield from make_world(request.param[0], tls=request.param[1])
