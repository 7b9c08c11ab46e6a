"""The async tests on uvloop too, which `uvicorn[standard]` installs and starts programs on.

A pytest plugin. The tests of the folders and files below run a second time, as `test_x[uvloop]`,
but for those of the sync flavour. `asyncio.run` makes the loop, so that no test has to know.
"""

from __future__ import annotations

import asyncio.events
import re

import pytest

__all__ = ["ON_BOTH"]

ON_BOTH = (
    "tests/concurrency/test_cancelling",
    "tests/concurrency/test_event_loops",
    "tests/concurrency/test_given_clients",
    "tests/concurrency/test_storms",
    "tests/concurrency/test_timeouts",
    "tests/concurrency/test_unclosed",
    "tests/files/",
    "tests/follow/test_following",
    "tests/http/",
    "tests/network/test_matrix",
    "tests/realtime/test_bodies",
    "tests/realtime/test_endings",
    "tests/realtime/test_flood",
    "tests/realtime/test_hostile",
    "tests/realtime/test_owners",
    "tests/realtime/test_realtime_proxies",
    "tests/realtime/test_storm",
    "tests/users/test_users_tasks",
)
"""How the paths of the tests begin."""

# `sync` as a word of its own in the id of a test, such as `sync given` and `sync-wss`, has no loop.
# uvloop's loops do not survive a fork.
NOT_THERE = re.compile(r"\[(?:.*[- ])?sync(?:[- ].*)?\]|Fork|fork")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    path = metafunc.definition.nodeid
    if path.startswith(ON_BOTH):
        loops = [pytest.param("asyncio", id=pytest.HIDDEN_PARAM), "uvloop"]
        metafunc.parametrize("event_loop", loops, indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = [item for item in items if not _is_pointless(item)]


def _is_pointless(item: pytest.Item) -> bool:
    return "[uvloop" in item.nodeid and bool(NOT_THERE.search(item.nodeid))


@pytest.fixture(autouse=True)
def event_loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kind of event loop that `asyncio.run` makes."""
    if getattr(request, "param", "asyncio") == "uvloop":
        import uvloop

        monkeypatch.setattr(asyncio.events, "new_event_loop", uvloop.new_event_loop)
