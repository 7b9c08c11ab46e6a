"""Fixtures for pytest, which finds them automatically if `poolse[testing]` is installed.

`poolse_sandbox`, `poolse_client`, `async_poolse_client`, and `poolse_user` and `poolse_api`, which
you can override.
Only this file is loaded before the first use of a fixture. `-p no:poolse` disables the plugin.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from poolse import AsyncPoolse, Poolse
    from poolse.testing import Sandbox

__all__ = [
    "async_poolse_client",
    "poolse_api",
    "poolse_client",
    "poolse_sandbox",
    "poolse_user",
]

_BY_ANYIO: Final = "_poolse_client_by_anyio"
_BY_ASYNCIO: Final = "_poolse_client_by_asyncio"


@pytest.fixture(scope="session")
def _poolse_servers() -> Iterator[Callable[[str], Sandbox]]:
    """Run one sandbox per version of the API for all tests; it is reset for each test."""
    try:
        from poolse.testing import Sandbox
    except ImportError as error:
        pytest.fail(str(error).replace("[sandbox]", "[testing]"), pytrace=False)
    running: dict[str, Sandbox] = {}

    def server(api: str) -> Sandbox:
        if api not in running:
            running[api] = Sandbox(api=api).start()
        return running[api]

    yield server
    for sandbox in running.values():
        sandbox.stop()


@pytest.fixture
def poolse_sandbox(_poolse_servers: Callable[[str], Sandbox], poolse_api: str) -> Iterator[Sandbox]:
    """Provide a running poolse backend for this test, without data and faults."""
    sandbox = _poolse_servers(poolse_api)
    yield sandbox
    sandbox.reset()


@pytest.fixture
def poolse_api() -> str:
    """Version of the API that the sandbox speaks. Override it for "1.1".

    New in 0.4.
    """
    return "2"


@pytest.fixture
def poolse_user() -> str:
    """External ID of the user of the clients. Override it for a user other than "alice"."""
    return "alice"


@pytest.fixture
def poolse_client(poolse_sandbox: Sandbox, poolse_user: str) -> Iterator[Poolse]:
    """Provide a client of the sandbox, closed after the test. Its retries do not wait."""
    from poolse.testing import client_for

    with client_for(poolse_sandbox, poolse_user) as chat:
        yield chat


@pytest.fixture
def async_poolse_client(request: pytest.FixtureRequest) -> AsyncPoolse:
    """Provide an async client of the sandbox, in the event loop of pytest-asyncio or anyio."""
    client: AsyncPoolse = request.getfixturevalue(_runner_of(request))
    return client


@pytest.fixture
async def _poolse_client_by_anyio(
    poolse_sandbox: Sandbox, poolse_user: str, anyio_backend_name: str
) -> AsyncIterator[AsyncPoolse]:
    if anyio_backend_name != "asyncio":
        here = f"AsyncPoolse runs on asyncio, and this test on {anyio_backend_name}"
        pytest.fail(f'{here}: let a fixture `anyio_backend` return "asyncio"', pytrace=False)
    from poolse.testing import async_client_for

    async with async_client_for(poolse_sandbox, poolse_user) as chat:
        yield chat


def pytest_configure(config: pytest.Config) -> None:
    """Let pytest-asyncio run the async client too, if it is installed."""
    if config.pluginmanager.hasplugin("asyncio"):
        config.pluginmanager.import_plugin("poolse.testing._asyncio_fixture")


def _runner_of(request: pytest.FixtureRequest) -> str:
    """Return the name of the fixture for the plugin that runs this test."""
    if "anyio_backend" in request.fixturenames:
        return _BY_ANYIO
    plugins = request.config.pluginmanager
    if plugins.hasplugin("asyncio") and request.node.get_closest_marker("asyncio"):
        return _BY_ASYNCIO
    marks = {
        "asyncio": "pytest-asyncio: mark it with @pytest.mark.asyncio",
        "anyio": "anyio: mark it with @pytest.mark.anyio",
    }
    here = [mark for plugin, mark in marks.items() if plugins.hasplugin(plugin)]
    wanted = " or ".join(here) or "pytest-asyncio, which is missing: pip install pytest-asyncio"
    pytest.fail(
        f"async_poolse_client needs an event loop, and {request.node.name} runs in none. "
        f"Let it be run by {wanted}.",
        pytrace=False,
    )
