"""The fixtures, as a project of somebody else uses them: each run is a pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

SYNC = """
from poolse import RateLimitedError
import pytest, time

def test_a_message_is_stored(poolse_client, poolse_sandbox):
    conversation = poolse_client.conversations.create(type="group")
    sent = poolse_client.conversations.one(conversation.id).messages.send(body="hi")
    assert sent.sender_id == poolse_sandbox.user_id("alice")
    poolse_sandbox.faults.hang(times=9)
    poolse_sandbox.faults.mute()

@pytest.mark.parametrize("poolse_user", ["bob"])
def test_the_next_one_knows_nothing_of_it(poolse_client, poolse_sandbox, poolse_user):
    assert poolse_client.me.show().external_id == "bob"
    assert len(poolse_client.conversations.list()) == 0
    assert len(poolse_sandbox.requests) == 2
    poolse_sandbox.stop()

def test_also_after_an_outage(poolse_client):
    assert poolse_client.me.show().external_id == "alice"

def test_retries_take_no_time(poolse_client, poolse_sandbox):
    poolse_sandbox.faults.fail(503, times=3, retry_after=50)
    began, before = time.monotonic(), poolse_sandbox.clock.now()
    poolse_client.me.show()
    assert time.monotonic() - began < 30
    assert poolse_sandbox.clock.now() - before >= 150

def test_a_rate_limit_ends_by_the_clock(poolse_client, poolse_sandbox):
    poolse_sandbox.faults.limit_rate(1, 3600)
    poolse_client.me.show()
    with pytest.raises(RateLimitedError) as refused:
        poolse_client.me.show()
    poolse_sandbox.clock.advance(refused.value.retry_after)
    poolse_client.me.show()

def test_a_token_ends_and_is_fetched_again(poolse_client, poolse_sandbox):
    poolse_client.me.show()
    poolse_sandbox.clock.advance(4000)
    poolse_client.me.show()
    assert [request.status for request in poolse_sandbox.requests] == [200, 401, 200]
"""

ASYNC = """
from poolse import MessageNew
import pytest

pytestmark = pytest.mark.anyio

@pytest.fixture
def anyio_backend():
    return "asyncio"

async def test_it_is_in_the_loop_of_the_test(async_poolse_client, poolse_sandbox):
    poolse_sandbox.faults.fail(503, times=3, retry_after=50)
    assert (await async_poolse_client.me.show()).external_id == "alice"
    conversation = await async_poolse_client.conversations.create(type="group")
    async with async_poolse_client.realtime.conversation(conversation.id) as live:
        events = live.events(timeout=30)
        await async_poolse_client.conversations.one(conversation.id).messages.send(body="hi")
        async for event in events:
            if isinstance(event, MessageNew):
                assert event.body == "hi"
                break
"""

NOBODY = """
def test_it(async_poolse_client):
    pass
"""

TRIO = """
import pytest

@pytest.fixture
def anyio_backend_name():
    return "trio"

@pytest.mark.anyio
async def test_it(async_poolse_client):
    pass
"""

MISSING = """
import sys
sys.modules["starlette"] = None

def test_it(poolse_client):
    pass
"""

NOTHING = """
import sys

def test_nothing_of_ours_is_loaded():
    heavy = ("poolse.sandbox", "poolse.client", "poolse._core")
    assert not [name for name in sys.modules if name.startswith(heavy)]
    assert not {"httpx", "aiohttp", "starlette", "uvicorn"} & sys.modules.keys()
"""


def run(folder: Path, text: str, *arguments: str) -> str:
    """What pytest prints for a file of tests, our plugin on."""
    (folder / "test_theirs.py").write_text(text, "utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:schemathesis", "-p", "no:cacheprovider"]
    plugin = ["-p", "no:poolse", "-p", "poolse.testing.plugin", "-W", "error"]
    # These take as long to load as all the rest.
    plugin += ["-p", "no:hypothesispytest", "-p", "no:xdist", "-p", "no:xdist.looponfail"]
    done = subprocess.run(
        [*command, *plugin, *arguments, str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return done.stdout + done.stderr


def test_the_sync_fixtures(tmp_path: Path) -> None:
    assert "6 passed" in run(tmp_path, SYNC)


def test_the_async_one_by_anyio(tmp_path: Path) -> None:
    assert "1 passed" in run(tmp_path, ASYNC)


@pytest.mark.parametrize(
    ("text", "arguments", "told"),
    [
        (NOBODY, (), "test_it runs in none. Let it be run by anyio: mark it with @pytest.mark"),
        (
            NOBODY,
            ("-p", "no:anyio"),
            "pytest-asyncio, which is missing: pip install pytest-asyncio",
        ),
        (TRIO, (), 'let a fixture `anyio_backend` return "asyncio"'),
        (MISSING, (), "needs starlette, which comes with: pip install 'poolse[testing]'"),
    ],
)
def test_what_is_missing_is_said_in_a_line(
    tmp_path: Path, text: str, arguments: tuple[str, ...], told: str
) -> None:
    printed = run(tmp_path, text, *arguments)
    assert "1 error" in printed
    assert told in printed
    assert "Traceback" not in printed


def test_a_run_without_them_loads_nothing(tmp_path: Path) -> None:
    assert "1 passed" in run(tmp_path, NOTHING)


def test_they_say_what_they_are(tmp_path: Path) -> None:
    printed = run(tmp_path, "", "--fixtures", "-q")
    for name in ("poolse_sandbox", "poolse_client", "async_poolse_client", "poolse_user"):
        assert f"\n{name} -- " in printed
