"""What cannot be created leaves nothing behind, and the next try works."""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest

from poolse._realtime import sync_transport as sync_wire
from poolse.errors import ConnectionFailed
from poolse.testing import Sandbox
from tests.realtime.raw_rest import post
from tests.realtime.sync_and_async import FLAVOURS, Flavour, Sync, done
from tests.realtime.typed_clients import chat

Fault = Callable[..., object]


def no_descriptors(*_: object, **__: object) -> object:
    raise OSError(errno.EMFILE, "Too many open files")


def no_threads(*_: object, **__: object) -> object:
    raise RuntimeError("can't start new thread")


def failing(name: str) -> Callable[[threading.Thread], None]:
    """As `Thread.start`, but for threads of that name."""
    original = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if thread.name == name:
            no_threads()
        original(thread)

    return start


FAULTS: dict[str, tuple[object, str, Fault]] = {
    "self-pipe": (socket, "socketpair", no_descriptors),
    "any thread": (threading.Thread, "start", no_threads),
    "thread of the callbacks": (threading.Thread, "start", failing("poolse-calls")),
    "thread of the socket": (threading.Thread, "start", failing("poolse-socket")),
}


@contextmanager
def broken(fault: str) -> Generator[None]:
    owner, name, replacement = FAULTS[fault]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, replacement)
        yield


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("door", ["channel", "connect", "follow"])
def test_threads_and_descriptors_that_cannot_be_had(
    fault: str, door: str, sandbox: Sandbox
) -> None:
    conversation = post(sandbox, "/v1/conversations", {"type": "group"})["id"]

    async def scenario() -> None:
        async with chat(Sync, sandbox, "alice") as client:
            follow = client.conversations.one(conversation).messages.follow
            client.me.show()
            doors: dict[str, Callable[[], object]] = {
                "channel": lambda: client.realtime.conversation(conversation),
                "connect": client.realtime.connect,
                "follow": lambda: follow(after="latest").__enter__(),
            }
            with broken(fault):
                for _ in range(3):
                    with pytest.raises(ConnectionFailed) as caught:
                        doors[door]()
                    assert isinstance(caught.value.__cause__, (OSError, RuntimeError))
            stats = client.stats().realtime
            assert (stats.sockets, stats.channels) == (0, 0)
            live = client.realtime.conversation(conversation)
            live.wait_joined()
            assert client.realtime.status == "connected"
            assert sandbox.sockets == 1

    asyncio.run(scenario())


@pytest.mark.parametrize("fault", FAULTS)
def test_close_works_after_it(fault: str, sandbox: Sandbox) -> None:
    async def scenario() -> None:
        async with chat(Sync, sandbox, "alice") as client:
            with broken(fault), pytest.raises(ConnectionFailed):
                client.realtime.connect()
            client.close()
            assert client.realtime.status == "closed"

    asyncio.run(scenario())


@pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"])
@pytest.mark.parametrize("what", ["socket", "lookup"])
def test_a_transport_that_cannot_be_opened_is_retried(
    flavour: Flavour, what: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No descriptor, or no thread to look a name up: transient, as a network that is down."""
    conversation = post(sandbox, "/v1/conversations", {"type": "group"})["id"]
    left = [3]

    def sometimes(original: Any, fault: Fault) -> Any:
        def called(*arguments: Any, **named: Any) -> Any:
            if left[0]:
                left[0] -= 1
                return fault()
            return original(*arguments, **named)

        return called

    async def scenario() -> None:
        async with chat(flavour, sandbox, "alice") as client:
            await done(client.me.show())
            asynchronous = flavour is not Sync
            owner, name, fault = places(asynchronous)[what]
            monkeypatch.setattr(owner, name, sometimes(getattr(owner, name), fault))
            live = client.realtime.conversation(conversation)
            await done(live.wait_joined())

    def places(asynchronous: bool) -> dict[str, tuple[Any, str, Fault]]:
        if asynchronous:
            loop = asyncio.get_running_loop()
            return {
                "socket": (loop, "sock_connect", no_descriptors),
                "lookup": (loop, "getaddrinfo", no_threads),
            }
        return {
            "socket": (socket.socket, "connect", no_descriptors),
            "lookup": (sync_wire, "look_up", no_descriptors),
        }

    asyncio.run(scenario())


def test_another_socket_that_cannot_be_had_leaves_the_first_one_alone(sandbox: Sandbox) -> None:
    ids = [post(sandbox, "/v1/conversations", {"type": "group"})["id"] for _ in range(2)]

    async def scenario() -> None:
        async with chat(Sync, sandbox, "alice", channels_per_socket=1) as client:
            client.realtime.conversation(ids[0]).wait_joined()
            with broken("self-pipe"), pytest.raises(ConnectionFailed):
                client.realtime.conversation(ids[1])
            assert client.realtime.status == "connected"
            assert client.stats().realtime.channels == 1
            client.realtime.conversation(ids[1]).wait_joined()
            assert client.stats().realtime.sockets == 2

    asyncio.run(scenario())
