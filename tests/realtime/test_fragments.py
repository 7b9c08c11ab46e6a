"""Messages that a server sends in pieces, and many that come at once."""

from __future__ import annotations

import json

import pytest

from tests.realtime.channel_types import PING, News
from tests.realtime.real_backend import run
from tests.realtime.scripted_server import phoenix
from tests.realtime.sync_and_async import FLAVOURS, Flavour, Log, done

BOTH = pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"])


@BOTH
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_pieces_make_one_message(flavour: Flavour, size: int) -> None:
    async def scenario() -> None:
        with phoenix(lambda _: []) as peer:
            async with peer.client(flavour) as rooms:
                room, got = rooms.realtime.room("x"), Log()
                room.on(PING, got.append)
                await done(room.wait_joined())
                text = json.dumps([None, None, room.topic, "ping", {"text": "whole"}])
                pieces = [text[at : at + size] for at in range(0, len(text), size)]
                peer.opened.items[-1].send(["", *pieces, ""])
                peer.say([None, None, room.topic, "ping", {"text": "next"}])
                await got.reach(2)
                assert got.items == [News("whole"), News("next")]
                assert not rooms.errors.items

    run(scenario)


@BOTH
def test_what_comes_at_once_comes_in_order(flavour: Flavour) -> None:
    async def scenario() -> None:
        with phoenix(lambda _: []) as peer:
            async with peer.client(flavour) as rooms:
                room, got = rooms.realtime.room("x"), Log()
                room.on(PING, got.append)
                await done(room.wait_joined())
                texts = [str(number) for number in range(700)]
                peer.say(*([None, None, room.topic, "ping", {"text": text}] for text in texts))
                await got.reach(len(texts))
                assert got.items == [News(text) for text in texts]

    run(scenario)


@BOTH
def test_what_came_before_the_close_is_handed_on(flavour: Flavour) -> None:
    async def scenario() -> None:
        with phoenix(lambda _: []) as peer:
            async with peer.client(flavour) as rooms:
                room, got = rooms.realtime.room("x"), Log()
                room.on(PING, got.append)
                await done(room.wait_joined())
                texts = [str(number) for number in range(100)]
                peer.say(
                    *([None, None, room.topic, "ping", {"text": text}] for text in texts), 1000
                )
                await got.reach(len(texts))
                assert got.items == [News(text) for text in texts]

    run(scenario)
