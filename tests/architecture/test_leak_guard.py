"""The guard against leaks finds what it is there for, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.architecture.tree import ROOT

pytestmark = pytest.mark.tools

pytest_plugins = ["pytester"]

HEAD = """
import asyncio, os, socket, threading
import pytest
import tests.leak_guard
tests.leak_guard.GRACE = 0.05
"""

LEAKY = """
stop = threading.Event()

def test_thread():
    threading.Thread(target=stop.wait, name="forgotten", daemon=True).start()

def test_descriptor():
    os.open("/dev/null", os.O_RDONLY)

def test_task():
    async def main():
        asyncio.create_task(asyncio.sleep(60), name="orphan")
    asyncio.run(main())

def test_task_of_a_runner():
    with asyncio.Runner() as runner:
        runner.run(asyncio.sleep(0))
        runner.get_loop().create_task(asyncio.sleep(60), name="stray")

def test_unretrieved():
    async def fail():
        raise ValueError("unheard")
    async def main():
        task = asyncio.create_task(fail())
        await asyncio.sleep(0)
    asyncio.run(main())

def test_resource():
    socket.socket()
"""

CLEAN = """
tests.leak_guard.GRACE = 5.0

def test_thread_on_its_way_out():
    threading.Timer(0.05, lambda: None).start()

def test_task_on_its_way_out():
    async def main():
        asyncio.create_task(asyncio.sleep(0.05))
    asyncio.run(main())

def test_descriptor_on_its_way_out():
    number = os.open("/dev/null", os.O_RDONLY)
    threading.Timer(0.05, os.close, [number]).start()

def test_clean():
    async def main():
        async with asyncio.timeout(1):
            await asyncio.to_thread(sum, [1])
    asyncio.run(main())
    asyncio.run(main())

def test_runner_closed_twice():
    runner = asyncio.Runner()
    runner.close()
    runner.close()
"""

Run = Callable[[str], pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run test functions in a pytest of their own, under the guard."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def run(source: str) -> pytest.RunResult:
        pytester.makeini("[pytest]\nfilterwarnings = error")
        pytester.makepyfile(HEAD + source)
        return pytester.runpytest_subprocess("-p", "tests.leak_guard", "-p", "no:cacheprovider")

    return run


def test_everything_left_behind_is_found(run: Run) -> None:
    result = run(LEAKY)
    result.stdout.fnmatch_lines_random(
        [
            "*thread 'forgotten'*",
            "*descriptor * -> /dev/null*",
            "*task 'orphan'*",
            "*task 'stray'*",
            "*asyncio: Task exception was never retrieved*",
            "*ResourceWarning*",
        ]
    )
    outcomes = result.parseoutcomes()
    assert outcomes["errors"] + outcomes.get("failed", 0) == 6


def test_what_ends_in_time_is_no_leak(run: Run) -> None:
    run(CLEAN).assert_outcomes(passed=5)


def test_fixtures_are_gone_before_the_guard_looks(run: Run) -> None:
    run("""
@pytest.fixture
def link():
    with socket.socket() as opened:
        yield opened

def test_link(link):
    assert link.fileno() > 0
""").assert_outcomes(passed=1)
