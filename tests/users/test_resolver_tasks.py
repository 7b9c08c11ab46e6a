"""One call of the resolver serves all tasks that wait; cancelling and closing end it well."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from poolse import UNSET, AsyncPoolse, AsyncUsersResource, UsageError, UserProfile
from tests.users.sync_and_async_users import ADA, async_users_of


class Held:
    """A resolver whose first call waits until it is let go, and that numbers its answers."""

    def __init__(self) -> None:
        self.calls = 0
        self.asked = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __call__(self, user_id: str) -> UserProfile:
        self.calls += 1
        mine = self.calls
        self.asked.set()
        if mine == 1:
            await self.go_on.wait()
        return UserProfile(str(mine))


def test_tasks_share_one_call_for_each_user() -> None:
    calls = Counter[str]()

    async def resolve(user_id: str) -> UserProfile:
        calls[user_id] += 1
        await asyncio.sleep(0)
        return UserProfile(user_id)

    async def main() -> None:
        users = async_users_of(resolve)
        ids = [f"user-{number % 5}" for number in range(50)]
        found = await asyncio.gather(*map(users.get, ids))
        assert found == [UserProfile(user_id) for user_id in ids]

    asyncio.run(main())
    assert calls == {f"user-{number}": 1 for number in range(5)}


def test_an_answer_that_lands_after_an_invalidation_goes_to_those_before_it_only() -> None:
    async def main() -> None:
        resolver = Held()
        users = async_users_of(resolver)
        heard: list[object] = []
        users.subscribe("ada", heard.append)
        early = asyncio.create_task(users.get("ada"))
        await resolver.asked.wait()
        users.invalidate("ada")
        assert await users.get("ada") == UserProfile("2")
        resolver.go_on.set()
        assert await early == UserProfile("1")
        assert await users.get("ada") == users.peek("ada") == UserProfile("2")
        assert heard == [UNSET, UserProfile("2")]

    asyncio.run(main())


@pytest.mark.parametrize("leavers", [1, 2])
def test_cancelling_who_waits_leaves_the_call_to_the_others_and_to_the_cache(leavers: int) -> None:
    async def main() -> None:
        resolver = Held()
        users = async_users_of(resolver)
        waiting = [asyncio.create_task(users.get("ada")) for _ in range(2)]
        await resolver.asked.wait()
        for task in waiting[:leavers]:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        resolver.go_on.set()
        assert [await task for task in waiting[leavers:]] == [UserProfile("1")] * (2 - leavers)
        assert await users.get("ada") == UserProfile("1")

    asyncio.run(main())


def test_closing_ends_the_calls_and_tells_those_who_wait() -> None:
    async def main() -> None:
        ended: list[str] = []
        started = asyncio.Queue[str]()

        async def resolve(user_id: str) -> UserProfile | None:
            try:
                await started.put(user_id)
                await asyncio.Event().wait()
                return None
            finally:
                ended.append(user_id)

        chat = AsyncPoolse(token="t", user_resolver=resolve)
        waiting = [asyncio.create_task(chat.users.get("a"))]
        await started.get()
        # The call that is under way for "a" is not shared any more, and ends all the same.
        chat.users.invalidate("a")
        waiting.append(asyncio.create_task(chat.users.get("a")))
        await started.get()
        many = asyncio.create_task(chat.users.get_many(["b", "c"]))
        await started.get()
        await started.get()
        await chat.aclose()
        assert sorted(ended) == ["a", "a", "b", "c"]
        for task in (*waiting, many):
            with pytest.raises(UsageError, match="closed"):
                await task
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_a_resolver_may_close_the_client() -> None:
    async def main() -> None:
        async def resolve(user_id: str) -> UserProfile:
            await chat.aclose()
            return ADA

        chat = AsyncPoolse(token="t", user_resolver=resolve)
        assert await chat.users.get("ada") == ADA

    asyncio.run(main())


def test_a_resolver_whose_own_work_was_cancelled_has_failed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def resolve(user_id: str) -> UserProfile | None:
        lookup = asyncio.create_task(asyncio.sleep(10))
        lookup.cancel()
        await lookup
        return ADA

    async def main() -> None:
        users = async_users_of(resolve)
        assert await users.get("ada") is None
        assert users.peek("ada") is None

    asyncio.run(main())
    assert "user_resolver failed for user 'ada'" in caplog.text


async def plainly(found: Awaitable[UserProfile | None]) -> UserProfile | None:
    return await found


async def in_a_task(found: Awaitable[UserProfile | None]) -> UserProfile | None:
    return (await asyncio.gather(plainly(found)))[0]


@pytest.mark.parametrize("ask", [plainly, in_a_task])
@pytest.mark.parametrize("other", ["a", "b"])
def test_a_resolver_that_asks_for_its_own_user_is_refused(
    other: str,
    ask: Callable[[Awaitable[UserProfile | None]], Awaitable[UserProfile | None]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        async def resolve(user_id: str) -> UserProfile | None:
            return await ask(users.get(other if user_id == "a" else "a"))

        users: AsyncUsersResource = async_users_of(resolve)
        async with asyncio.timeout(10):
            assert await asyncio.gather(users.get("a"), users.get(other)) == [None, None]

    asyncio.run(main())
    assert "must not request" in caplog.text


def test_a_resolver_and_a_get_token_that_wait_for_each_other_are_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        async def get_token() -> str:
            await chat.users.get("ada")
            return "t"

        async def resolve(user_id: str) -> UserProfile:
            return UserProfile((await chat.me.show()).display_name)

        chat = AsyncPoolse(get_token=get_token, user_resolver=resolve)
        async with chat, asyncio.timeout(10):
            assert await chat.users.get("ada") is None

    asyncio.run(main())
    assert "must not request" in caplog.text


def test_many_are_asked_for_eight_at_a_time() -> None:
    async def main() -> None:
        under_way = most = 0
        full = asyncio.Event()

        async def resolve(user_id: str) -> UserProfile:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            if under_way == 8:
                full.set()
            await full.wait()
            await asyncio.sleep(0)
            under_way -= 1
            return UserProfile(user_id)

        users = async_users_of(resolve)
        ids = [f"user-{number}" for number in range(50)]
        async with asyncio.timeout(10):
            found = await users.get_many(ids)
        assert list(found.items()) == [(user_id, UserProfile(user_id)) for user_id in ids]
        assert most == 8

    asyncio.run(main())


def test_a_call_that_ended_with_its_event_loop_is_made_again() -> None:
    calls = 0

    async def resolve(user_id: str) -> UserProfile:
        nonlocal calls
        calls += 1
        if calls == 1:
            await asyncio.Event().wait()
        return ADA

    users = async_users_of(resolve)
    first = asyncio.new_event_loop()
    left = first.create_task(users.get("ada"))
    first.run_until_complete(asyncio.sleep(0))
    assert asyncio.run(users.get("ada")) == ADA
    for task in asyncio.all_tasks(first):
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        first.run_until_complete(left)
    first.close()
    assert users.peek("ada") == ADA


def test_users_are_invalidated_from_outside_of_the_event_loop() -> None:
    async def main() -> None:
        resolver = Held()
        users = async_users_of(resolver)
        heard: list[object] = []
        users.subscribe("ada", heard.append)
        early = asyncio.create_task(users.get("ada"))
        await resolver.asked.wait()
        await asyncio.to_thread(users.invalidate_all)
        assert heard == [UNSET]
        resolver.go_on.set()
        assert await early == UserProfile("1")
        assert users.peek("ada") is UNSET

    asyncio.run(main())
