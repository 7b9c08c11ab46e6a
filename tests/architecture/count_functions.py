"""How many functions of ours one call, one event and one reconnect pass: `make trace`.

Counts distinct functions, by module and qualified name, and the files that they are in. Functions
of `poolse/_generated` count; those of the sandbox and of `poolse.testing` do not. A comprehension
is part of the function around it. All threads are traced, but for those of the sandbox. Each
operation is traced the third time that it is done, so that nothing is loaded in it.

The event of the goal is `typing:start`: its payload is small, so that its way is what is counted.
That of a message is printed too, with the functions that read a message.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Final, NamedTuple

import httpx

from poolse import AsyncPoolse, Poolse
from poolse.testing import Sandbox
from tests.architecture.tree import ROOT

__all__ = ["GOALS", "Function", "Tracer", "files_of", "measure"]

PACKAGE: Final = ROOT / "poolse"

LEFT_OUT: Final = ("sandbox/", "testing/")
"""Folders of the package whose functions do not count."""

RUN: Final = 3
"""Which run of an operation is traced."""

SETTLE: Final = 0.2
"""Seconds that threads and tasks get to go back to their waiting."""

LIMIT: Final = 20.0
"""Seconds that an operation may take."""

GOALS: Final = {
    "messages.send": (60, 18),
    "event": (18, 7),
    "message event": None,
    "reconnect": (100, 10),
}
"""Most functions and files of each operation, sync and async."""


class Function(NamedTuple):
    """A function that was called."""

    file: str
    """Relative to the package."""
    qualname: str


class Tracer:
    """Notes the functions of a package that are called while it records, in all threads.

    Threads are traced that start after it was made.
    """

    def __init__(self, package: Path = PACKAGE, left_out: tuple[str, ...] = LEFT_OUT) -> None:
        self._prefix = f"{package}/"
        self._left_out = left_out
        self._codes: set[CodeType] = set()
        self._recording = False
        threading.setprofile(self._note)

    def _note(self, frame: FrameType, event: str, argument: object) -> None:
        if self._recording and event == "call":
            self._codes.add(frame.f_code)

    @contextmanager
    def recording(self) -> Generator[None]:
        """Record what is called inside, anew."""
        self._codes = set()
        before = sys.getprofile()
        self._recording = True
        sys.setprofile(self._note)
        try:
            yield
        finally:
            sys.setprofile(before)
            self._recording = False

    def functions(self) -> list[Function]:
        """What was called in the last recording, sorted."""
        functions: set[Function] = set()
        for code in self._codes:
            file = code.co_filename.removeprefix(self._prefix)
            name = code.co_qualname
            if code.co_filename == file or file.startswith(self._left_out):
                continue
            while name.endswith(("comp>", "<genexpr>")):
                name = name.rpartition(".<locals>.")[0]
            functions.add(Function(file, name))
        return sorted(functions)

    def close(self) -> None:
        """Stop tracing threads that start from now on."""
        threading.setprofile(None)


def files_of(functions: Iterable[Function]) -> set[str]:
    """The files that these functions are in."""
    return {function.file for function in functions}


Traced = dict[str, list[Function]]


class Backend:
    """A sandbox with one conversation of alice and bob; bob speaks without our client."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.token = sandbox.token("alice")
        self._bob = httpx.Client(
            base_url=f"{sandbox.url}/v1/",
            headers={"Authorization": f"Bearer {sandbox.token('bob')}"},
            trust_env=False,
        )
        created = self._bob.post(
            "conversations",
            json={"type": "group", "name": "Team", "member_external_ids": ["alice"]},
        )
        self.conversation = str(created.raise_for_status().json()["id"])

    def type(self) -> None:
        """Have alice receive `typing:start`."""
        topic = f"conversation:{self.conversation}"
        self.sandbox.broadcast(topic, "typing:start", {"user_id": self.sandbox.user_id("bob")})

    def speak(self) -> None:
        """Have bob send a message."""
        path = f"conversations/{self.conversation}/messages"
        self._bob.post(path, json={"body": "Hello"}).raise_for_status()

    def drop(self) -> Callable[[], None]:
        """Cut all sockets. Returns what waits until the channel was joined again."""
        joins = len(self.sandbox.joins)
        self.sandbox.faults.drop_sockets()
        return lambda: self.sandbox.wait_for(lambda: len(self.sandbox.joins) > joins, LIMIT)

    def close(self) -> None:
        """Close bob's connection."""
        self._bob.close()


def trace_sync(backend: Backend, tracer: Tracer) -> Traced:
    """Trace the operations of a sync client."""
    traced: Traced = {}
    arrived = threading.Semaphore(0)

    def record(operation: Callable[[], object]) -> list[Function]:
        for _ in range(RUN):
            time.sleep(SETTLE)
            with tracer.recording():
                operation()
                time.sleep(SETTLE)
        return tracer.functions()

    def event(cause: Callable[[], None]) -> None:
        cause()
        if not arrived.acquire(timeout=LIMIT):
            raise TimeoutError("no event came")

    with Poolse(token=backend.token, api_url=backend.sandbox.url) as chat:
        messages = chat.conversations.one(backend.conversation).messages
        traced["messages.send"] = record(lambda: messages.send(body="Hello"))
        with chat.realtime.conversation(backend.conversation) as live:
            live.on_typing_start(lambda _: arrived.release())
            live.on_message(lambda _: arrived.release())
            live.wait_joined(LIMIT)
            traced["event"] = record(lambda: event(backend.type))
            traced["message event"] = record(lambda: event(backend.speak))
            traced["reconnect"] = record(lambda: backend.drop()())
    return traced


async def trace_async(backend: Backend, tracer: Tracer) -> Traced:
    """Trace the operations of an async client."""
    traced: Traced = {}
    arrived = asyncio.Semaphore(0)

    async def record(operation: Callable[[], Awaitable[object]]) -> list[Function]:
        for _ in range(RUN):
            await asyncio.sleep(SETTLE)
            with tracer.recording():
                await asyncio.wait_for(operation(), LIMIT)
                await asyncio.sleep(SETTLE)
        return tracer.functions()

    async def event(cause: Callable[[], None]) -> None:
        await asyncio.to_thread(cause)
        await arrived.acquire()

    async with AsyncPoolse(token=backend.token, api_url=backend.sandbox.url) as chat:
        messages = chat.conversations.one(backend.conversation).messages
        traced["messages.send"] = await record(lambda: messages.send(body="Hello"))
        async with chat.realtime.conversation(backend.conversation) as live:
            live.on_typing_start(lambda _: arrived.release())
            live.on_message(lambda _: arrived.release())
            await live.wait_joined(LIMIT)
            traced["event"] = await record(lambda: event(backend.type))
            traced["message event"] = await record(lambda: event(backend.speak))
            traced["reconnect"] = await record(lambda: asyncio.to_thread(backend.drop()))
    return traced


def measure() -> dict[str, Traced]:
    """Functions of each operation, sync and async."""
    with Sandbox() as sandbox:
        backend, tracer = Backend(sandbox), Tracer()
        try:
            return {
                "sync": trace_sync(backend, tracer),
                "async": asyncio.run(trace_async(backend, tracer)),
            }
        finally:
            tracer.close()
            backend.close()


def main() -> None:
    """Print the figures beside their goals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true", help="name the functions")
    listed = parser.parse_args().list
    logging.disable()  # the connection is lost on purpose
    traced = measure()
    print(f"{'':<22}{'functions':>12}{'files':>10}")
    for operation, goal in GOALS.items():
        for form, operations in traced.items():
            functions = operations[operation]
            print(f"{operation + ', ' + form:<22}{row(functions, goal)}")
            if listed:
                print("".join(f"    {file:<34} {name}\n" for file, name in functions))


def row(functions: list[Function], goal: tuple[int, int] | None) -> str:
    """The figures of an operation, each beside its goal."""
    count, files = len(functions), len(files_of(functions))
    if goal is None:
        return f"{count:>6}      {files:>4}"
    return f"{count:>6} / {goal[0]:<3}{files:>4} / {goal[1]}"


if __name__ == "__main__":
    main()
