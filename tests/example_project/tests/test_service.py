"""The service, run by pytest-asyncio and by anyio."""

from __future__ import annotations

import pytest
import reminder

from poolse import AsyncPoolse
from poolse.testing import Sandbox


@pytest.mark.asyncio
async def test_by_pytest_asyncio(async_poolse_client: AsyncPoolse) -> None:
    await async_poolse_client.conversations.create(type="group", name="Team")
    assert await reminder.names(async_poolse_client) == ["Team"]


class TestByAnyio:
    pytestmark = pytest.mark.anyio

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    async def test_a_token_that_ends(
        self, async_poolse_client: AsyncPoolse, poolse_sandbox: Sandbox
    ) -> None:
        assert await reminder.names(async_poolse_client) == []
        poolse_sandbox.clock.advance(2 * 3600)
        await async_poolse_client.conversations.create(type="group", name="Team")
        assert await reminder.names(async_poolse_client) == ["Team"]
