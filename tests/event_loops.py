"""The async tests on uvloop too, which `uvicorn[standard]` installs and runs programs on.

A pytest plugin. The tests of the folders and files below run a second time, as `test_x[uvloop]`,
except for sync ones. `asyncio.run` creates the loop, so that no test has to know.

The debug mode of asyncio keeps its checks here, but does not record where each future, task and
handle was created: that takes most of the time of a test.
"""

from __future__ import annotations

import asyncio
import asyncio.events
import importlib.util
import re
from collections.abc import Iterator

import pytest

__all__ = ["ON_BOTH"]

ON_BOTH = (
    "tests/concurrency/test_cancel_calls",
    "tests/concurrency/test_event_loops",
    "tests/concurrency/test_given_clients",
    "tests/concurrency/test_random_cancellation",
    "tests/concurrency/test_timeouts",
    "tests/concurrency/test_unclosed_clients",
    "tests/files/",
    "tests/follow/test_follow.",
    "tests/http/",
    "tests/network/test_network_matrix",
    "tests/realtime/test_close",
    "tests/realtime/test_connect_and_reconnect",
    "tests/realtime/test_drivers",
    "tests/realtime/test_fragments",
    "tests/realtime/test_hostile",
    "tests/realtime/test_misbehaving_server",
    "tests/realtime/test_realtime_proxies",
    "tests/realtime/test_send_while_receiving",
    "tests/realtime/test_slow_consumer",
)
"""How the names of the tests begin: those of transports, sockets, files and feeds."""

NOT_THERE = (
    # No loop at all: `sync` as a word of its own in the id, such as `sync given` and `sync-wss`.
    r"\[(.*[- ])?sync([- ].*)?\]",
    r"[-\[]Poolse",
    # uvloop's loops do not survive a fork.
    r"[Ff]ork",
    # The loop is in another process.
    r"test_(three_runs_in_a_row|a_script_that_forgets|no_finalizer|ssl_cert_file_of|aiohttp_is_load)",
    # httpx's own connections have larger buffers there.
    r"test_memory.*given",
    # Twenty storms of six seconds each; the shorter ones run.
    r"after_six_seconds",
)

HAS_UVLOOP = importlib.util.find_spec("uvloop") is not None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if HAS_UVLOOP and metafunc.definition.nodeid.startswith(ON_BOTH):
        loops = [pytest.param("asyncio", id=pytest.HIDDEN_PARAM), "uvloop"]
        metafunc.parametrize("event_loop", loops, indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = [item for item in items if not _is_pointless(item)]


def _is_pointless(item: pytest.Item) -> bool:
    on_uvloop = isinstance(item, pytest.Function) and loop_of(item) == "uvloop"
    return on_uvloop and any(re.search(pattern, item.nodeid) for pattern in NOT_THERE)


def loop_of(item: pytest.Function) -> str:
    """The kind of event loop that a test is to run on."""
    callspec = getattr(item, "callspec", None)
    return "asyncio" if callspec is None else callspec.params.get("event_loop", "asyncio")


def _no_tracebacks(_: asyncio.BaseEventLoop) -> bool:
    return False


def pytest_sessionstart() -> None:
    """Turn off tracebacks of the debug mode, and have uvloop open what it never closes."""
    # The loop's own checks read `_debug`; only what records tracebacks asks `get_debug`.
    pytest.MonkeyPatch().setattr(asyncio.BaseEventLoop, "get_debug", _no_tracebacks)
    if HAS_UVLOOP:
        import uvloop

        uvloop.new_event_loop().close()


@pytest.fixture(autouse=True)
def event_loop(request: pytest.FixtureRequest) -> Iterator[None]:
    """The kind of event loop that `asyncio.run` makes."""
    # Not by the fixture `monkeypatch`, which would then be undone after all other fixtures.
    with pytest.MonkeyPatch.context() as patch:
        if getattr(request, "param", "asyncio") == "uvloop":
            import uvloop

            patch.setattr(asyncio.events, "new_event_loop", uvloop.new_event_loop)
        yield
