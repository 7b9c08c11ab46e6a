"""What a test left behind: threads, tasks, file descriptors, and complaints of asyncio.

A pytest plugin. Every test is watched from before its fixtures were made until after they are
gone. Whatever ends on its own gets a moment to do so; what is left after that fails the test.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest

GRACE = 1.0
"""Seconds that something which is on its way out may take."""

DESCRIPTORS = "/proc/self/fd"

HAS_DESCRIPTORS = os.path.isdir(DESCRIPTORS)  # noqa: PTH112


def pytest_collection_finish() -> None:
    """Exempt what exists from garbage collection: in a whole run 600,000 objects of pytest."""
    gc.collect()
    gc.freeze()


def open_descriptors() -> set[tuple[int, str]]:
    """Number and target of each open descriptor; nothing where there is no /proc."""
    descriptors: set[tuple[int, str]] = set()
    if not HAS_DESCRIPTORS:
        return descriptors
    # Not with pathlib, which takes five times as long: it is done twice for each test.
    for name in os.listdir(DESCRIPTORS):  # noqa: PTH208
        try:
            descriptors.add((int(name), os.readlink(f"{DESCRIPTORS}/{name}")))  # noqa: PTH115
        except FileNotFoundError:
            # The descriptor that listed the folder is closed by now.
            continue
    return descriptors


def leaked_threads(before: set[threading.Thread]) -> list[str]:
    """Threads that are still alive, although they did not exist `before`."""
    deadline = time.monotonic() + GRACE
    extra = [thread for thread in threading.enumerate() if thread not in before]
    for thread in extra:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [f"thread {thread.name!r}" for thread in extra if thread.is_alive()]


def leaked_descriptors(before: set[tuple[int, str]]) -> list[str]:
    """Descriptors that are still open, although they were not `before`."""
    if not open_descriptors() - before:
        return []
    # An object in a cycle holds its descriptor until the collector comes by. If it ought to have
    # been closed by hand, collecting it raises a ResourceWarning, which is an error here.
    gc.collect()
    deadline = time.monotonic() + GRACE
    while (extra := open_descriptors() - before) and time.monotonic() < deadline:
        time.sleep(0.01)
    return [f"descriptor {number} -> {target}" for number, target in sorted(extra)]


def leaked_tasks(loop: asyncio.AbstractEventLoop) -> list[str]:
    """Tasks that outlive the main coroutine of `loop` and do not end on their own."""
    return loop.run_until_complete(leaked_tasks_now()) if asyncio.all_tasks(loop) else []


async def leaked_tasks_now() -> list[str]:
    """Tasks beside this one that do not end on their own."""
    pending = asyncio.all_tasks() - {asyncio.current_task()}
    if pending:
        _, pending = await asyncio.wait(pending, timeout=GRACE)
    return [f"task {task.get_name()!r}: {task.get_coro()!r}" for task in pending]


@contextmanager
def watched_loops() -> Generator[list[str]]:
    """Collect the tasks that event loops still had when they were closed.

    `asyncio.run` cancels what is left and says nothing, so it is asked just before it does.
    """
    found: list[str] = []
    close = asyncio.Runner.close

    def watching_close(self: asyncio.Runner) -> None:
        try:
            loop = self.get_loop()
        except RuntimeError:  # closed before
            return
        found.extend(leaked_tasks(loop))
        close(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio.Runner, "close", watching_close)
        yield found


class Complaints(logging.Handler):
    """What asyncio could only log: unretrieved exceptions, tasks destroyed while pending."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not is_of_uvloop(record):
            self.found.append(f"asyncio: {record.getMessage()}")


def is_of_uvloop(record: logging.LogRecord) -> bool:
    """Whether uvloop only says that it has read from a TLS connection which was cut already.

    Harmless, and open for years: https://github.com/MagicStack/uvloop/issues/685
    """
    error = record.exc_info and record.exc_info[1]
    return (
        isinstance(error, RuntimeError)
        and record.getMessage().startswith("Fatal error on SSL protocol")
        and "uvloop" in record.getMessage()
        and "the handler is closed" in str(error)
    )


@contextmanager
def heard_complaints() -> Generator[list[str]]:
    """Collect what asyncio logs as an error."""
    handler = Complaints()
    logger = logging.getLogger("asyncio")
    logger.addHandler(handler)
    try:
        yield handler.found
    finally:
        logger.removeHandler(handler)


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    """Fail the test that leaves a thread, a task or a descriptor behind."""
    threads = set(threading.enumerate())
    descriptors = open_descriptors()
    with watched_loops() as tasks, heard_complaints() as complaints:
        yield
    found = [*tasks, *leaked_threads(threads), *leaked_descriptors(descriptors), *complaints]
    if found:
        pytest.fail("left behind:\n  " + "\n  ".join(found), pytrace=False)
