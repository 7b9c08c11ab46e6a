"""Scenarios for feeds of both flavours."""

from __future__ import annotations

import asyncio

import pytest

from poolse.testing import Sandbox
from tests.follow.sync_and_async_feeds import FLAVOURS, Play, Scenario, talking


@pytest.fixture(params=FLAVOURS, ids=["sync", "async"])
def play(request: pytest.FixtureRequest, sandbox: Sandbox) -> Play:
    """Runs a scenario in one flavour."""

    async def run(scenario: Scenario) -> None:
        async with talking(sandbox, request.param) as talk:
            await scenario(talk)

    return lambda scenario: asyncio.run(run(scenario))
