"""A feed whose socket is down, or was given up: it reads the list, or raises. Both flavours."""

from __future__ import annotations

import pytest

from poolse import AuthError, ConnectionFailed
from tests.follow.sync_and_async_feeds import Play, Talk, opened


def test_while_the_socket_is_down_messages_come_by_the_list(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        async with opened(talk.follow()) as feed:
            talk.say("1")
            assert await talk.take(feed, 1) == ["1"]
            talk.sandbox.faults.refuse_handshakes(503, times=1000)
            talk.sandbox.faults.drop_sockets(1011)
            talk.say("2")
            assert await talk.take(feed, 1) == ["2"]
            assert talk.sandbox.sockets == 0
            talk.sandbox.faults.clear()
            talk.say("3")
            assert await talk.take(feed, 1) == ["3"]

    play(scenario)


@pytest.mark.parametrize("many", [False, True])
def test_a_socket_that_was_given_up_is_no_silence(play: Play, many: bool) -> None:
    async def scenario(talk: Talk) -> None:
        talk.sandbox.faults.refuse_handshakes(404, times=1000)
        for _ in range(2):
            async with opened(talk.bot.follow() if many else talk.follow()) as feed:
                for _ in range(2):
                    with pytest.raises((AuthError, ConnectionFailed)):
                        await talk.next(feed)

    play(scenario)
