"""Fixtures for pytest, which finds them by itself once `poolse[testing]` is installed.

`poolse_sandbox`, `poolse_client`, `async_poolse_client`; and `poolse_user`, to be overridden.
Nothing but this file is loaded before one of them is asked for. `-p no:poolse` turns them off.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from poolse import AsyncPoolse, Poolse
    from poolse.testing import Sandbox

__all__ = ["async_poolse_client", "poolse_client", "poolse_sandbox", "poolse_user"]

_BY_ANYIO: Final = "_poolse_client_by_anyio"
_BY_ASYNCIO: Final = "_poolse_client_by_asyncio"


@pytest.fixture(scope="session")
def _poolse_server() -> Iterator[Sandbox]:
    """The one server of the run: a test gets it as if it had just been started."""
    try:
        from poolse.testing import Sandbox
    except ImportError as error:
        pytest.fail(str(error).replace("[sandbox]", "[testing]"), pytrace=False)
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def poolse_sandbox(_poolse_server: Sandbox) -> Iterator[Sandbox]:
    """A whole poolse backend for this test: running, empty, without faults."""
    yield _poolse_server
    _poolse_server.reset()


@pytest.fixture
def poolse_user() -> str:
    """Whom the clients sign in, by your own id. Override it for another one than "alice"."""
    return "alice"


@pytest.fixture
def poolse_client(poolse_sandbox: Sandbox, poolse_user: str) -> Iterator[Poolse]:
    """A client of the sandbox, closed after the test. Its retries take no time."""
    from poolse.testing import client_for

    with client_for(poolse_sandbox, poolse_user) as chat:
        yield chat


@pytest.fixture
def async_poolse_client(request: pytest.FixtureRequest) -> AsyncPoolse:
    """The same for tests that pytest-asyncio or anyio runs, in the event loop of the test."""
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
    """Let pytest-asyncio, where it is, run the client too."""
    if config.pluginmanager.hasplugin("asyncio"):
        config.pluginmanager.import_plugin("poolse.testing._asyncio_fixture")


def _runner_of(request: pytest.FixtureRequest) -> str:
    """The fixture that whoever runs this test can run."""
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
