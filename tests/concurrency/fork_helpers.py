"""A forked child, what it says, and the locks that others hold at the fork."""

from __future__ import annotations

import gc
import multiprocessing
import os
import threading
import types
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from poolse._network.trust import SHARED
from tests.leak_guard import open_descriptors

__all__ = ["FORK", "all_held", "connected_to", "in_child"]

FORK = [
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here"),
]

PATIENCE = 10


def in_child(work: Callable[[], object]) -> Any:
    """What it gives in a forked child, or the text of its error."""

    def tell() -> None:
        try:
            answers.put(work())
        except BaseException as error:
            answers.put(f"{type(error).__name__}: {error}")

    context: Any = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    child = context.Process(target=tell)
    child.start()
    child.join(PATIENCE)
    try:
        if child.exitcode is None:
            child.kill()
            child.join()
            return "the child hangs"
        return answers.get() if child.exitcode == 0 else f"exit code {child.exitcode}"
    finally:
        answers.close()
        child.close()


def locks_of(*roots: object) -> list[Any]:
    """All locks that can be reached from these, but not through modules and classes."""
    kinds = (type(threading.Lock()), type(threading.RLock()))
    found: list[Any] = []
    seen: set[int] = set()
    waiting: list[object] = list(roots)
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, types.ModuleType | type):
            continue
        seen.add(id(thing))
        if isinstance(thing, kinds):
            found.append(thing)
        elif isinstance(thing, types.FunctionType):
            waiting += thing.__closure__ or ()
        else:
            waiting += gc.get_referents(thing)
    return found


@contextmanager
def all_held(*roots: object) -> Generator[int]:
    """Another thread holds every lock of these, as it may at any moment. Gives their number."""
    held, over = threading.Event(), threading.Event()
    locks = [lock for lock in locks_of(SHARED, *roots) if lock.acquire(blocking=False)]
    for lock in locks:
        lock.release()

    def hold() -> None:
        for lock in locks:
            lock.acquire()
        held.set()
        over.wait(PATIENCE)
        for lock in locks:
            lock.release()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        yield len(locks)
    finally:
        over.set()
        thread.join()


def connected_to(port: int) -> int:
    """How many descriptors of this process are sockets with that peer."""
    peer = f"0100007F:{port:04X}"
    lines = Path("/proc/self/net/tcp").read_text("ascii").splitlines()[1:]
    inodes = {line.split()[9] for line in lines if line.split()[2] == peer}
    links = [target for _, target in open_descriptors()]
    return sum(link == f"socket:[{inode}]" for link in links for inode in inodes)
