"""Numbers without a message, as the users of a feed are told of them. Both flavours."""

from __future__ import annotations

from poolse import Gap
from tests.follow.sync_and_async_feeds import Play, Talk, opened


def test_replies_come_live_and_gaps_are_reported(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        gaps: list[Gap] = []
        (root,) = talk.say("root")
        talk.say("missed", "missed", reply_to_id=root)
        async with opened(talk.follow(after=1, on_gap=gaps.append)) as feed:
            await talk.joined()
            talk.say("live", reply_to_id=root)
            item = await talk.next(feed)
            assert item.message.thread_root_id == root
        assert gaps == [Gap(talk.id, 2, 3)]

    play(scenario)


def test_of_a_long_outage_only_the_end_is_read_and_the_rest_is_reported(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        gaps: list[Gap] = []
        talk.say(*map(str, range(1, 21)))
        async with opened(talk.follow(after=2, max_backfill=5, on_gap=gaps.append)) as feed:
            assert await talk.take(feed, 5) == ["16", "17", "18", "19", "20"]
        assert gaps == [Gap(talk.id, 3, 15, skipped=True)]

    play(scenario)
