"""The client as one object: when nobody looks after it any more, or in another process."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from poolse.errors import ConnectionFailed, UsageError
from tests.realtime.channel_types import NEWS
from tests.realtime.virtual_client import World


@pytest.fixture
def world() -> World:
    return World()


def test_an_owner_that_died_is_no_secret(world: World) -> None:
    room = world.joined()
    world.client.driver_failed(world.sockets[0], ZeroDivisionError())
    assert world.client.status == "closed"
    with pytest.raises(ConnectionFailed, match="ZeroDivisionError") as caught:
        _ = room.subscription.joined
    assert caught.value.final
    # Nobody would open it, so the next try has a socket of its own.
    with pytest.raises(ConnectionFailed):
        world.client.subscribe(room.reference, NEWS, print)
    assert world.joined().subscription.joined
    assert len(world.sockets) == 2
    assert world.client.status == "connected"
    with pytest.raises(ConnectionFailed):
        _ = room.subscription.joined
    assert world.joined("2").subscription.joined, "another socket, with an owner of its own"


def test_connecting_after_an_owner_died_takes_another_socket(world: World) -> None:
    world.client.connect()
    world.client.driver_failed(world.sockets[0], ZeroDivisionError())
    world.client.connect()
    world.serve()
    assert len(world.sockets) == 2
    assert world.client.status == "connected"


def test_nothing_is_used_in_another_process(world: World) -> None:
    room = world.joined()
    world.process += 1
    uses: list[Callable[[], object]] = [
        world.room,
        world.client.connect,
        world.client.disconnect,
        lambda: world.client.status,
        lambda: world.client.release(room.reference),
        lambda: world.client.send(room.reference, "typing", {}),
        lambda: world.client.subscribe(room.reference, NEWS, print),
    ]
    for use in uses:
        with pytest.raises(UsageError, match="fork"):
            use()
    assert world.client.is_forked
    world.process -= 1
    assert room.subscription.joined


def test_what_was_not_used_yet_may_be_used_in_another_process(world: World) -> None:
    assert world.client.status == "idle"
    world.process += 1
    assert world.joined().subscription.joined


def test_without_somebody_to_call_callbacks_nothing_continues(world: World) -> None:
    room = world.joined()
    world.client.callbacks_failed(ZeroDivisionError())
    assert world.client.status == "closed"
    with pytest.raises(ConnectionFailed):
        _ = room.subscription.joined
    with pytest.raises(ConnectionFailed, match="callbacks"):
        world.room("2")
