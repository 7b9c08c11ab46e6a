"""A history from its first message on, with the replies in threads: order, requests, memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolse import AsyncPoolse, DecodeError, Poolse, UsageError, to_dict
from poolse.testing import Sandbox, async_client_for, client_for
from poolse.testing.factories import make_message

CONVERSATION = "5f3a1c1e-9f3b-4a52-8d0c-6b8f0e1d2c01"


@attrs.define
class Log:
    """A server with one conversation: the numbers of its messages, and those of their replies."""

    threads: dict[int, list[int]]
    cap: int = 100
    """Rows of a page at most."""
    later_cap: int = 100
    """The same, from the second request on."""
    requests: int = 0
    rows: int = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        assert self.requests < 5000, "it does not end"
        cap = self.cap if self.requests == 1 else min(self.cap, self.later_cap)
        query = {name: int(value) for name, value in request.url.params.items()}
        *_, owner, kind = request.url.path.split("/")
        if kind == "replies":
            numbers = self.threads[UUID(owner).int]
            page = [n for n in sorted(numbers) if n > query.get("after", 0)][:cap]
        else:
            before = query.get("before", 10**12)
            limit = min(cap, query.get("limit", 50))
            page = [n for n in sorted(self.threads, reverse=True) if n < before][:limit]
        self.rows += len(page)
        return httpx.Response(200, json={"data": [self.row(number) for number in page]})

    def row(self, number: int) -> dict[str, Any]:
        # Deleted replies are listed, but not counted.
        count = len(self.threads.get(number, ()))
        count -= count > 1
        message = make_message(id=str(UUID(int=number)), sequence=number, reply_count=count)
        return to_dict(message)

    def expected(self, *, replies: bool, before: int | None) -> list[int]:
        numbers = {*self.threads, *(n for some in self.threads.values() for n in some if replies)}
        return sorted(n for n in numbers if before is None or n < before)


def read_sync(server: Callable[..., Any], **choices: Any) -> list[int]:
    with (
        httpx.Client(transport=httpx.MockTransport(server)) as http,
        Poolse(api_url="http://api.test", token="t", http_client=http) as chat,
    ):
        messages = chat.conversations.one(CONVERSATION).messages
        return [message.sequence for message in messages.iter(order="oldest", **choices)]


def read_async(server: Callable[..., Any], **choices: Any) -> list[int]:
    async def main() -> list[int]:
        async with (
            httpx.AsyncClient(transport=httpx.MockTransport(server)) as http,
            AsyncPoolse(api_url="http://api.test", token="t", http_client=http) as chat,
        ):
            messages = chat.conversations.one(CONVERSATION).messages
            found = messages.iter(order="oldest", **choices)
            return [message.sequence async for message in found]

    return asyncio.run(main())


READS = pytest.mark.parametrize("read", [read_sync, read_async])


@st.composite
def logs(draw: st.DrawFn) -> Log:
    """Numbers that are dense, sparse or far from zero; each belongs to the list or to a thread."""
    numbers: list[int] = []
    last = draw(st.sampled_from([0, 0, 7, 100_000]))
    for step in draw(st.lists(st.sampled_from([1, 1, 1, 1, 2, 50, 3000]), max_size=60)):
        last += step
        numbers.append(last)
    threads: dict[int, list[int]] = {}
    for number in numbers:
        root = draw(st.sampled_from([None, None, *list(threads)[-3:]]))
        if root is None:
            threads[number] = []
        else:
            threads[root].append(number)
    caps = st.sampled_from([1, 2, 5, 100])
    return Log(threads, cap=draw(caps), later_cap=draw(caps))


@READS
@given(
    log=logs(),
    limit=st.sampled_from([1, 3, 50]),
    replies=st.booleans(),
    before=st.none() | st.integers(0, 200),
)
def test_each_message_comes_once_and_in_order(
    read: Callable[..., list[int]], log: Log, limit: int, replies: bool, before: int | None
) -> None:
    choices = {} if before is None else {"before": before}
    found = read(log, limit=limit, include_replies=replies, **choices)
    assert found == log.expected(replies=replies, before=before)


def test_a_dense_history_is_read_once() -> None:
    log = Log({number: [] for number in range(1, 1001)})
    assert read_sync(log, limit=100) == list(range(1, 1001))
    assert (log.requests, log.rows) == (10, 1000)


def test_a_sparse_history_takes_few_requests() -> None:
    """A list whose first number is a million, and one with a message in a hundred numbers."""
    late = Log({number: [] for number in range(1_000_000, 1_001_000)})
    assert len(read_sync(late, limit=100)) == 1000
    assert (late.requests < 100, late.rows <= 3000) == (True, True)
    sparse = Log({number: [] for number in range(1, 100_000, 100)})
    assert len(read_sync(sparse, limit=100)) == 1000
    assert sparse.requests < 40


@READS
def test_pages_that_become_smaller_are_no_endless_loop(read: Callable[..., list[int]]) -> None:
    """The width of a window is judged by the first page, and these have fewer rows."""
    early, top = range(1, 1000, 50), range(100_000, 100_010)
    log = Log({number: [] for number in (*early, *top)}, later_cap=1)
    assert read(log, limit=10) == [*early, *top]


def test_memory_holds_a_few_pages() -> None:
    log = Log({number: [] for number in range(1, 5_001)})
    with (
        httpx.Client(transport=httpx.MockTransport(log)) as http,
        Poolse(api_url="http://api.test", token="t", http_client=http) as chat,
    ):
        found = chat.conversations.one(CONVERSATION).messages.iter(limit=100, order="oldest")
        ahead = 0
        for returned, _ in enumerate(found, 1):
            ahead = max(ahead, log.rows - returned)
    assert ahead <= 300


def test_a_thread_takes_its_pages_and_the_empty_one() -> None:
    log = Log({1: [2, 3], 4: [5], 6: []})
    assert read_sync(log, include_replies=True) == [1, 2, 3, 4, 5, 6]
    assert log.requests == 1 + 2 * 2


@READS
def test_what_cannot_be_ordered_is_refused(read: Callable[..., list[int]]) -> None:
    def unnumbered(request: httpx.Request) -> httpx.Response:
        rows = [{**row, "sequence": None} for row in log(request).json()["data"]]
        return httpx.Response(200, json={"data": rows})

    log = Log({1: [], 2: []})
    with pytest.raises(DecodeError, match=r"data\[\]\.sequence"):
        read(unnumbered)


def test_wrong_choices_are_refused_at_once(sandbox: Sandbox) -> None:
    with client_for(sandbox) as chat:
        messages = chat.conversations.one(CONVERSATION).messages
        with pytest.raises(UsageError, match="'newest' or 'oldest'"):
            messages.iter(order=cast(Any, "reverse"))
        with pytest.raises(UsageError, match="needs order='oldest'"):
            messages.iter(include_replies=True)
        with pytest.raises(UsageError):
            messages.iter(limit=cast(Any, "many"), order="oldest")


def test_the_sandbox_in_both_flavours(sandbox: Sandbox) -> None:
    with client_for(sandbox) as chat:
        made = chat.conversations.create(type="group")
        messages = chat.conversations.one(made.id).messages
        for number in range(7):
            root = messages.send(f"{number}")
            for reply in range(number % 3):
                messages.send(f"{number}.{reply}", reply_to_id=root.id)
        late = messages.list(limit=100).data[-1]
        messages.send("0.late", reply_to_id=late)
        sandbox.faults.cap_pages(2)
        found = [m.body for m in messages.iter(order="oldest", include_replies=True)]
        plain = [m.body for m in messages.iter(order="oldest")]

    async def main() -> list[str | None]:
        async with async_client_for(sandbox) as chat:
            messages = chat.conversations.one(made.id).messages
            rows = messages.iter(order="oldest", include_replies=True)
            return [message.body async for message in rows]

    assert plain == [f"{number}" for number in range(7)]
    numbers = "0 1 1.0 2 2.0 2.1 3 4 4.0 5 5.0 5.1 6 0.late"
    assert found == numbers.split()
    assert asyncio.run(main()) == found
