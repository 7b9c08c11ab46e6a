"""Every public entrance in every state of a client: it works, or raises at once, in words.

"At once" means within `PATIENCE`: an entrance that waits in silence for what cannot come would wait
for ever.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Generator
from typing import Any, Final

import pytest

from poolse import AsyncPoolse, Poolse
from poolse.testing import Sandbox
from tests.client.public_calls import LIVE, REST, Entrance, Place, close, make_place, try_out
from tests.concurrency.fork_helpers import FORK, in_child

PATIENCE: Final = 20.0

CLOSED: Final = "UsageError: this client is closed; create a new one"
NO_CALLS: Final = "ChannelClosed: the calls were left"
NO_FEED: Final = "ChannelClosed: the feed was closed"
LEFT: Final = "ChannelClosed: conversation:.* was left"
GIVEN_UP: Final = "ConnectionFailed: .*HTTP 404"
REFUSED: Final = "JoinError: cannot join .*: unauthorized"
FORKED: Final = "UsageError: realtime does not survive a fork: create a client in each process"
OVER: Final = "UsageError: this belongs to an event loop that is over: ask the client for a new one"
ELSEWHERE: Final = "UsageError: this client belongs to another event loop; create one per loop"
WORKS: Final = "works"
NONE: Final = ""
"""There is no such thing in this state."""

STATES: Final = ("closed", "given up", "refused", "forked", "elsewhere")

READ: Final = (WORKS, WORKS, WORKS, FORKED, ELSEWHERE)
HANDLE: Final = (LEFT, GIVEN_UP, REFUSED, FORKED, ELSEWHERE)
NEW: Final = (CLOSED, GIVEN_UP, REFUSED, FORKED, ELSEWHERE)

TABLE: Final[dict[str, tuple[str, str, str, str, str]]] = {
    **dict.fromkeys(REST, (CLOSED, WORKS, WORKS, WORKS, ELSEWHERE)),
    # What is known needs neither connection nor loop.
    "users.get": (CLOSED, WORKS, WORKS, WORKS, WORKS),
    "realtime.connect": (CLOSED, WORKS, WORKS, FORKED, ELSEWHERE),
    "realtime.on_status": (CLOSED, WORKS, WORKS, FORKED, ELSEWHERE),
    "realtime.disconnect": READ,
    "realtime.leave": READ,
    "realtime.status": READ,
    "realtime.dropped": READ,
    "stats": READ,
    "realtime.user": NEW,
    "realtime.conversation": NEW,
    "realtime.calls": NEW,
    "calls.invite": (NO_CALLS, GIVEN_UP, REFUSED, FORKED, ELSEWHERE),
    "calls.on_incoming": (NO_CALLS, WORKS, WORKS, FORKED, ELSEWHERE),
    "calls.active": READ,
    "calls.leave": READ,
    "live.wait_joined": HANDLE,
    "live as context": HANDLE,
    "live.events": HANDLE,
    # A socket that was given up is tried again for the next handle, which serves these as well.
    "live.on_message": (LEFT, WORKS, REFUSED, FORKED, ELSEWHERE),
    "live.send_typing": (LEFT, WORKS, REFUSED, FORKED, ELSEWHERE),
    "live.presence_state": READ,
    "live.leave": READ,
    # Events that came before the end are still handed out.
    "events.next": (WORKS, GIVEN_UP, REFUSED, FORKED, ELSEWHERE),
    "messages.follow": NEW,
    "chat.follow": NEW,
    "feed.next": (WORKS, GIVEN_UP, REFUSED, FORKED, ELSEWHERE),
    "feed.wait_started": (NO_FEED, GIVEN_UP, REFUSED, FORKED, ELSEWHERE),
    "feed.close": READ,
    "item.ack": (WORKS, NONE, NONE, WORKS, WORKS),
    "item.reply": (CLOSED, NONE, NONE, WORKS, ELSEWHERE),
}
"""What each entrance does in each state, in the order of `STATES`."""


@pytest.fixture(scope="module")
def backend() -> Generator[Sandbox]:
    with Sandbox() as server:
        yield server


def in_time(work: Callable[[], str]) -> str:
    """What it gives, in a thread that is left behind if it does not end."""
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(work()), daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return found[0] if found else "waits for ever"


async def limited(entrance: Entrance, place: Place) -> str:
    try:
        async with asyncio.timeout(PATIENCE):
            return await try_out(entrance, place)
    except TimeoutError:
        return "waits for ever"


async def without_a_channel(place: Place) -> None:
    """Hold a channel that cannot be joined, and wait until that is known."""
    place.live = place.chat.realtime.conversation(place.conversation_id)
    place.events = place.live.events()
    place.feed = place.chat.conversations.one(place.conversation_id).messages.follow()
    assert await try_out(lambda p: p.live.wait_joined(timeout=10), place) != WORKS


def outcome(flavour: type[Any], state: str, entrance: Entrance, sandbox: Sandbox) -> str:
    """What comes of an entrance in a state."""
    cut_off = state in ("given up", "refused")
    with asyncio.Runner() as loop:
        place = loop.run(make_place(flavour, sandbox, live=not cut_off))
        try:
            if cut_off:
                sandbox.faults.refuse_handshakes(404, times=None)
                if state == "refused":
                    sandbox.faults.clear()
                    sandbox.faults.refuse_joins("unauthorized", times=None)
                loop.run(without_a_channel(place))
            if state == "closed":
                loop.run(close(place))
            if state == "forked":
                # The child cannot speak for the parent's sandbox, and nothing it hears would come.
                place.speak = bool
                return str(in_child(lambda: asyncio.run(try_out(entrance, place))))
            if flavour is AsyncPoolse and state != "elsewhere":
                return str(loop.run(limited(entrance, place)))
            return in_time(lambda: asyncio.run(try_out(entrance, place)))
        finally:
            sandbox.faults.clear()
            loop.run(close(place))


@pytest.mark.parametrize("flavour", [Poolse, AsyncPoolse], ids=["sync", "async"])
@pytest.mark.parametrize("state", [state for state in STATES if state != "forked"])
@pytest.mark.parametrize("name", TABLE)
def test_it_works_or_raises_at_once(
    flavour: type[Any], state: str, name: str, backend: Sandbox
) -> None:
    check(flavour, state, name, backend)


@FORK[0]
@FORK[1]
@pytest.mark.parametrize("flavour", [Poolse, AsyncPoolse], ids=["sync", "async"])
@pytest.mark.parametrize("name", TABLE)
def test_in_a_forked_child(flavour: type[Any], name: str, backend: Sandbox) -> None:
    check(flavour, "forked", name, backend)


def check(flavour: type[Any], state: str, name: str, sandbox: Sandbox) -> None:
    expected = TABLE[name][STATES.index(state)]
    if expected is NONE or (flavour is Poolse and state == "elsewhere"):
        return
    found = outcome(flavour, state, {**REST, **LIVE}[name], sandbox)
    assert re.match(expected, found), found


def test_every_entrance_is_tried() -> None:
    assert TABLE.keys() == REST.keys() | LIVE.keys()
