"""The steps on a file: one at a time, none after the last, and nobody waits for one that hangs."""

from __future__ import annotations

import asyncio
import threading

import pytest

from poolse._files.disk_threads import FileSteps, run_inline
from poolse._rest.request_io import run_sync


def test_steps_give_what_they_give() -> None:
    steps = FileSteps(run_inline)
    assert run_sync(steps(lambda: 3)) == 3
    with pytest.raises(ZeroDivisionError):
        run_sync(steps(lambda: 1 // 0))
    ended: list[int] = []
    steps.end(lambda: ended.append(1))
    steps.end(lambda: ended.append(2))
    assert ended == [1]
    with pytest.raises(ValueError, match="over"):
        run_sync(steps(lambda: 3))


def test_the_last_step_comes_after_the_one_that_is_under_way() -> None:
    begun, go_on, over = threading.Event(), threading.Event(), threading.Event()
    order: list[str] = []

    def slow() -> None:
        begun.set()
        go_on.wait()
        order.append("slow")

    def last() -> None:
        order.append("last")
        over.set()

    async def main() -> None:
        steps = FileSteps(asyncio.to_thread)
        task = asyncio.create_task(steps(slow))
        await asyncio.to_thread(begun.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        steps.end(last)
        assert order == []
        go_on.set()
        assert await asyncio.to_thread(over.wait, 10)

    asyncio.run(main())
    assert order == ["slow", "last"]
