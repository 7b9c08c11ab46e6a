"""`chat.capture()`: what calls did, and of which calls."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import attrs
import httpx
import pytest

from poolse import (
    ApiError,
    AsyncPoolse,
    Cancelled,
    CancelToken,
    CapturedCall,
    DecodeError,
    NetworkError,
    Poolse,
    UsageError,
)
from poolse.testing import Sandbox


@pytest.fixture
def chat(sandbox: Sandbox) -> Iterator[Poolse]:
    with Poolse(api_url=sandbox.url, token=sandbox.token("alice"), base_backoff=0.0) as client:
        yield client


def of_answer(response: httpx.Response) -> CapturedCall:
    with httpx.Client(transport=httpx.MockTransport(lambda _: response)) as http:
        client = Poolse(api_url="http://api.test/base", token="s3cret", http_client=http)
        with client.capture() as calls:
            client.rest.request(method="POST", path="/v1/x", body={"a": 1}, query={"b": "c d"})
    (call,) = calls
    return call


def test_a_call_is_kept_with_what_came_of_it() -> None:
    call = of_answer(httpx.Response(201, json={}, headers={"X-Request-Id": "r-1", "Via": "us"}))
    assert (call.method, call.path) == ("POST", "/base/v1/x?b=c%20d")
    assert (call.status, call.request_id, call.attempts, call.error) == (201, "r-1", 1, None)
    assert (call.headers["x-request-ID"], call.headers["VIA"]) == ("r-1", "us")
    assert "Via" in call.headers
    assert "x-unknown" not in call.headers


def test_a_call_is_frozen_and_keeps_no_secret() -> None:
    call = of_answer(httpx.Response(200, json={}))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        call.status = 500  # type: ignore[misc]
    with pytest.raises(TypeError):
        call.headers["a"] = "b"  # type: ignore[index]
    assert call.request_id is None
    assert "s3cret" not in repr(call) + repr(dict(call.headers))


def test_attempts_are_counted_and_the_last_one_is_reported(sandbox: Sandbox, chat: Poolse) -> None:
    sandbox.faults.fail(503, times=2)
    with chat.capture() as calls:
        chat.me.show()
    assert [(call.path, call.status, call.attempts) for call in calls] == [("/v1/me", 200, 3)]


def test_calls_that_fail_are_among_them(sandbox: Sandbox, chat: Poolse) -> None:
    with chat.capture() as calls:
        with pytest.raises(ApiError) as refused:
            chat.rest.request(method="GET", path="/v1/nothing")
        sandbox.faults.drop(times=4)
        with pytest.raises(NetworkError) as lost:
            chat.me.show()
    assert [call.error for call in calls] == [refused.value, lost.value]
    assert [(call.status, call.attempts) for call in calls] == [(404, 1), (None, 4)]
    assert dict(calls[1].headers) == {}


def test_an_answer_to_an_earlier_attempt_is_not_that_of_the_call() -> None:
    answers = [httpx.Response(503, headers={"X-Request-Id": "r-1"})]

    def answer(_: httpx.Request) -> httpx.Response:
        if answers:
            return answers.pop()
        raise httpx.ConnectError("lost")

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        client = Poolse(
            api_url="http://api.test", token="t", http_client=http, max_retries=1, base_backoff=0
        )
        with client.capture() as calls, pytest.raises(NetworkError):
            client.me.show()
    assert (calls[0].status, calls[0].request_id, calls[0].attempts) == (None, None, 2)


def test_a_response_that_cannot_be_read_is_reported_with_its_status() -> None:
    nonsense = httpx.Response(200, content=b"<html>")
    with httpx.Client(transport=httpx.MockTransport(lambda _: nonsense)) as http:
        client = Poolse(api_url="http://api.test", token="t", http_client=http)
        with client.capture() as calls, pytest.raises(DecodeError) as caught:
            client.me.show()
    assert (calls[0].status, calls[0].error) == (200, caught.value)


def test_a_call_that_got_no_token_was_not_sent(sandbox: Sandbox) -> None:
    def get_token() -> str:
        raise LookupError("no session")

    with Poolse(api_url=sandbox.url, get_token=get_token) as client:
        with client.capture() as calls, pytest.raises(LookupError) as caught:
            client.me.show()
        assert [(c.status, c.attempts, c.error) for c in calls] == [(None, 0, caught.value)]


def test_what_is_refused_at_once_is_no_call(chat: Poolse) -> None:
    wrong: Any = 7
    with chat.capture() as calls, pytest.raises(UsageError):
        chat.conversations.one(wrong).messages.list()
    assert calls == []


def test_a_cancelled_call_is_reported(chat: Poolse) -> None:
    stop = CancelToken()
    stop.cancel()
    with chat.capture() as calls, pytest.raises(Cancelled):
        chat.with_options(cancel=stop).me.show()
    assert isinstance(calls[0].error, Cancelled)


def test_views_share_it_other_clients_do_not(sandbox: Sandbox, chat: Poolse) -> None:
    view = chat.with_options(max_retries=0)
    with Poolse(api_url=sandbox.url, token=sandbox.token("bob")) as other:
        with chat.capture() as calls, view.capture() as calls_of_view:
            view.me.show()
            chat.me.show()
            other.me.show()
        chat.me.show()
    assert len(calls) == 2
    assert calls_of_view == calls


def test_each_page_of_a_walk_is_a_call(chat: Poolse) -> None:
    messages = chat.conversations.one(chat.conversations.create(type="group").id).messages
    for number in range(3):
        messages.send(body=str(number))
    with chat.capture() as calls:
        assert len(list(messages.iter(limit=2))) == 3
    assert [call.path.rpartition("/")[2] for call in calls] == [
        "messages?limit=2", "messages?limit=2&before=2", "messages?limit=2&before=1",
    ]  # fmt: skip


def test_nested_blocks_each_get_the_call(chat: Poolse) -> None:
    with chat.capture() as outer:
        chat.me.show()
        with chat.capture() as inner:
            chat.me.show()
        chat.me.show()
    assert (len(outer), len(inner)) == (3, 1)
    assert inner[0] is outer[1]


def test_another_thread_is_none_of_its_business(chat: Poolse) -> None:
    with chat.capture() as calls:
        thread = threading.Thread(target=chat.me.show)
        thread.start()
        thread.join()
    assert calls == []


def test_tasks_that_start_inside_belong_to_it(sandbox: Sandbox) -> None:
    async def run() -> None:
        async with AsyncPoolse(api_url=sandbox.url, token=sandbox.token("alice")) as client:
            others = asyncio.Event()

            async def other() -> None:
                await others.wait()
                await client.me.show()

            before = asyncio.create_task(other())
            with client.capture() as calls:
                await asyncio.gather(*[client.me.show() for _ in range(3)])
                others.set()
                await before
                assert [call.status for call in calls] == [200] * 3
                later = asyncio.create_task(other())
            # It started inside, but goes on when the block is over.
            await later
            assert len(calls) == 3

    asyncio.run(run())


def test_a_block_in_an_async_task_sees_a_cancelled_call(sandbox: Sandbox) -> None:
    sandbox.faults.hang()

    async def run() -> list[CapturedCall]:
        async with AsyncPoolse(api_url=sandbox.url, token=sandbox.token("alice")) as client:
            with client.capture() as calls:
                task = asyncio.create_task(client.me.show())
                await asyncio.to_thread(sandbox.wait_for, lambda: bool(sandbox.requests))
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            return calls

    (call,) = asyncio.run(run())
    assert isinstance(call.error, asyncio.CancelledError)
    assert (call.status, call.attempts) == (None, 1)
