"""One fetch of a token serves everybody who waits for it, in threads and in tasks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from poolse import Cancelled, CancelToken, UsageError
from poolse._auth.async_single_flight import AsyncFlight, Tasks
from poolse._auth.fetched_tokens import FetchedTokens
from poolse._auth.sync_single_flight import SyncFlight
from poolse._rest.request_io import Lifetime, run_sync

CALLERS = 16


def sync_tokens(fetch: Callable[[], object]) -> FetchedTokens:
    return FetchedTokens(fetch, lambda: SyncFlight(Lifetime()))


def async_tokens(fetch: Callable[[], object], tasks: Tasks | None = None) -> FetchedTokens:
    owner = tasks or Tasks(Lifetime())
    return FetchedTokens(fetch, lambda: AsyncFlight(owner, "poolse-token"))


class Fetch:
    """A `get_token` that can be held up, and counts its calls."""

    def __init__(self) -> None:
        self.calls = 0
        self.asked = threading.Event()
        self.go_on = threading.Event()

    def __call__(self) -> str:
        self.calls += 1
        self.asked.set()
        assert self.go_on.wait(10)
        return f"token-{self.calls}"


def test_threads_share_one_fetch() -> None:
    fetch = Fetch()
    tokens = sync_tokens(fetch)
    together = threading.Barrier(CALLERS + 1)

    def call() -> str | None:
        together.wait()
        return run_sync(tokens.get(None))

    with ThreadPoolExecutor(CALLERS) as pool:
        calls = [pool.submit(call) for _ in range(CALLERS)]
        together.wait()
        fetch.go_on.set()
        assert {call.result() for call in calls} == {"token-1"}
    assert fetch.calls == 1


def test_tasks_share_one_fetch() -> None:
    calls = 0

    async def fetch() -> str:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0)
        return "token"

    async def main() -> None:
        tokens = async_tokens(fetch)
        got = await asyncio.gather(*(tokens.get(None) for _ in range(CALLERS)))
        assert set(got) == {"token"}

    asyncio.run(main())
    assert calls == 1


def test_what_the_fetch_raises_reaches_all_who_wait_and_the_next_call_fetches_again() -> None:
    outcomes: list[Exception | str] = [LookupError("no session"), "token"]

    async def fetch() -> str:
        await asyncio.sleep(0)
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def main() -> None:
        tokens = async_tokens(fetch)
        got = await asyncio.gather(tokens.get(None), tokens.get(None), return_exceptions=True)
        assert [str(error) for error in got] == ["no session"] * 2
        assert await tokens.get(None) == "token"

    asyncio.run(main())


def test_a_refusal_during_a_fetch_is_answered_with_another_fetch() -> None:
    async def main() -> None:
        held = asyncio.Event()
        started = asyncio.Event()
        serial = 0

        async def fetch() -> str:
            nonlocal serial
            serial += 1
            mine = serial
            started.set()
            if mine == 1:
                await held.wait()
            return f"token-{mine}"

        tokens = async_tokens(fetch)
        early = asyncio.create_task(tokens.get(None))
        await started.wait()
        tokens.reject("token-0")
        assert await tokens.get(None) == "token-2"
        held.set()
        assert await early == "token-1"
        assert await tokens.get(None) == "token-2"

    asyncio.run(main())


def test_cancelling_one_task_leaves_the_fetch_to_the_others() -> None:
    async def main() -> None:
        go_on = asyncio.Event()

        async def fetch() -> str:
            await go_on.wait()
            return "token"

        tokens = async_tokens(fetch)
        first, second = (asyncio.create_task(tokens.get(None)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        go_on.set()
        assert await second == "token"

    asyncio.run(main())


def test_a_cancel_token_ends_the_wait_of_a_thread() -> None:
    fetch = Fetch()
    tokens = sync_tokens(fetch)
    stop = CancelToken()
    with ThreadPoolExecutor(2) as pool:
        fetching = pool.submit(lambda: run_sync(tokens.get(None)))
        assert fetch.asked.wait(10)
        waiting = pool.submit(lambda: run_sync(tokens.get(stop)))
        stop.cancel()
        with pytest.raises(Cancelled):
            waiting.result(10)
        fetch.go_on.set()
        assert fetching.result(10) == "token-1"


def test_a_cancel_token_ends_the_wait_of_a_task() -> None:
    async def main() -> None:
        stop = CancelToken()
        tasks = Tasks(Lifetime())
        tokens = async_tokens(asyncio.Event().wait, tasks)
        waiting = asyncio.create_task(tokens.get(stop))
        await asyncio.sleep(0)
        stop.cancel()
        with pytest.raises(Cancelled):
            await waiting
        await tasks.aclose()

    asyncio.run(main())


def test_closing_ends_every_fetch_and_tells_those_who_wait() -> None:
    async def main() -> None:
        started = asyncio.Queue[None]()

        async def fetch() -> None:
            await started.put(None)
            await asyncio.Event().wait()

        tasks = Tasks(Lifetime())
        tokens = async_tokens(fetch, tasks)
        waiting = [asyncio.create_task(tokens.get(None))]
        await started.get()
        # The fetch that is under way is not shared any more, and ends all the same.
        tokens.reject("refused")
        waiting.append(asyncio.create_task(tokens.get(None)))
        await started.get()
        await tasks.aclose()
        for task in waiting:
            with pytest.raises(UsageError, match="closed"):
                await task

    asyncio.run(main())


def test_a_get_token_that_waits_for_itself_in_another_task_is_refused() -> None:
    async def main() -> None:
        tokens: FetchedTokens = async_tokens(lambda: asyncio.gather(tokens.get(None)))
        with pytest.raises(UsageError, match="must not use the client"):
            await tokens.get(None)

    asyncio.run(main())


def test_a_get_token_that_waits_for_itself_is_refused() -> None:
    sync: FetchedTokens = sync_tokens(lambda: run_sync(sync.get(None)))
    with pytest.raises(UsageError, match="must not use the client"):
        run_sync(sync.get(None))

    async def main() -> None:
        aio: FetchedTokens = async_tokens(lambda: aio.get(None))
        with pytest.raises(UsageError, match="must not use the client"):
            await aio.get(None)

    asyncio.run(main())
