"""The async client as a fixture of pytest-asyncio. Loaded only if that is installed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from poolse import AsyncPoolse
    from poolse.testing import Sandbox


async def _client(poolse_sandbox: Sandbox, poolse_user: str) -> AsyncIterator[AsyncPoolse]:
    from poolse.testing import async_client_for

    async with async_client_for(poolse_sandbox, poolse_user) as chat:
        yield chat


# Not a dependency of ours, so there may be nothing for a type checker to look at.
_fixture: Any = import_module("pytest_asyncio").fixture
_poolse_client_by_asyncio = _fixture(_client)
