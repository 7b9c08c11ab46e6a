"""The brain as one object: when nobody looks after it any more, or in another process."""

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
    world.hub.broken(world.links[0], ZeroDivisionError())
    assert world.hub.status == "closed"
    with pytest.raises(ConnectionFailed, match="ZeroDivisionError") as caught:
        _ = room.session.joined
    assert caught.value.final
    # Nobody would open it, so the next try has a socket of its own.
    with pytest.raises(ConnectionFailed):
        world.hub.subscribe(room.claim, NEWS, print)
    assert world.joined().session.joined
    assert len(world.links) == 2
    assert world.hub.status == "connected"
    with pytest.raises(ConnectionFailed):
        _ = room.session.joined
    assert world.joined("2").session.joined, "another socket, with an owner of its own"


def test_connecting_after_an_owner_died_takes_another_socket(world: World) -> None:
    world.hub.connect()
    world.hub.broken(world.links[0], ZeroDivisionError())
    world.hub.connect()
    world.serve()
    assert len(world.links) == 2
    assert world.hub.status == "connected"


def test_nothing_is_used_in_another_process(world: World) -> None:
    room = world.joined()
    world.process += 1
    uses: list[Callable[[], object]] = [
        world.room,
        world.hub.connect,
        world.hub.disconnect,
        lambda: world.hub.status,
        lambda: world.hub.release(room.claim),
        lambda: world.hub.push(room.claim, "typing", {}),
        lambda: world.hub.subscribe(room.claim, NEWS, print),
    ]
    for use in uses:
        with pytest.raises(UsageError, match="fork"):
            use()
    assert world.hub.is_elsewhere
    world.process -= 1
    assert room.session.joined


def test_what_was_not_used_yet_may_be_used_in_another_process(world: World) -> None:
    assert world.hub.status == "idle"
    world.process += 1
    assert world.joined().session.joined


def test_without_somebody_to_call_callbacks_nothing_goes_on(world: World) -> None:
    room = world.joined()
    world.hub.crashed(ZeroDivisionError())
    assert world.hub.status == "closed"
    with pytest.raises(ConnectionFailed):
        _ = room.session.joined
    with pytest.raises(ConnectionFailed, match="callbacks"):
        world.room("2")
