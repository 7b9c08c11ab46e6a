"""Both clients against a whole backend: construction, options, views, closing."""

from __future__ import annotations

import asyncio
import copy
import gc
import inspect
import pickle
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, cast

import httpx
import pytest

import poolse
from poolse import (
    ApiError,
    AsyncPoolse,
    CallOptions,
    Cancelled,
    CancelToken,
    MessageNew,
    Poolse,
    PoolseError,
    RequestTimeout,
    Timeout,
    UsageError,
)
from poolse.testing import Sandbox


def connect(sandbox: Sandbox, **options: float) -> Poolse:
    return Poolse(api_url=sandbox.url, token=sandbox.token("alice"), **options)  # type: ignore[arg-type]


def test_the_environment_says_where_and_who(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POOLSE_API_URL", f"{sandbox.url}//")
    monkeypatch.setenv("POOLSE_TOKEN", sandbox.token("alice"))
    with Poolse() as chat:
        assert chat.me.show().external_id == "alice"


def test_an_option_of_the_call_wins_over_the_view_over_the_client(sandbox: Sandbox) -> None:
    with connect(sandbox, max_retries=2, base_backoff=0.0) as chat:
        view = chat.with_options(max_retries=1, headers={"X-From": "view"})
        own = CallOptions(max_retries=0, headers={"X-From": "call"})
        for call, attempts in (
            (chat.me.show, 3),
            (view.me.show, 2),
            (partial(view.me.show, options=own), 1),
        ):
            before = len(sandbox.requests)
            sandbox.faults.fail(503, times=attempts)
            with pytest.raises(ApiError):
                call()
            assert len(sandbox.requests) - before == attempts
    assert [request.headers.get("x-from") for request in sandbox.requests] == [
        *[None] * 3, "view", "view", "call",
    ]  # fmt: skip


def test_a_view_closes_nothing_and_ends_with_its_client(sandbox: Sandbox) -> None:
    chat = connect(sandbox)
    with chat.with_options(timeout=5.0) as view:
        assert view.realtime is chat.realtime
    assert chat.me.show() == view.me.show()
    chat.close()
    chat.close()
    for client in (chat, view):
        with pytest.raises(UsageError, match="closed"):
            client.me.show()
        with pytest.raises(UsageError, match="closed"):
            client.realtime.connect()


def test_an_idempotency_key_of_the_caller_is_sent_and_repeats_the_answer(sandbox: Sandbox) -> None:
    options = CallOptions(idempotency_key="mine")
    with connect(sandbox) as chat:
        first = chat.conversations.create(type="group", options=options)
        assert chat.conversations.create(type="group", options=options) == first
        assert chat.conversations.create(type="group") != first
    assert sandbox.requests[0].headers["idempotency-key"] == "mine"


def test_a_message_whose_answer_was_lost_is_stored_once(sandbox: Sandbox) -> None:
    with connect(sandbox, base_backoff=0.0) as chat:
        messages = chat.conversations.one(chat.conversations.create(type="group").id).messages
        sandbox.faults.drop(executed=True)
        sent = messages.send(body="once")
        assert list(messages.iter()) == [sent]


def test_a_limit_names_itself(sandbox: Sandbox) -> None:
    sandbox.faults.hang()
    with (
        connect(sandbox, max_retries=0) as chat,
        pytest.raises(RequestTimeout, match=r"total timeout.*Timeout\(total=") as caught,
    ):
        chat.me.show(options=CallOptions(timeout=Timeout(0.05)))
    assert isinstance(caught.value, TimeoutError)
    assert (caught.value.phase, caught.value.limit) == ("total", 0.05)


def test_a_cancelled_call_is_no_poolse_error(sandbox: Sandbox) -> None:
    sandbox.faults.hang()
    stop = CancelToken()
    with connect(sandbox) as chat, ThreadPoolExecutor(1) as pool:
        call = pool.submit(chat.with_options(cancel=stop).me.show)
        sandbox.wait_for(lambda: bool(sandbox.requests))
        stop.cancel()
        error = call.exception(10)
    assert isinstance(error, Cancelled)
    assert not isinstance(error, PoolseError)


def test_threads_share_a_client(sandbox: Sandbox) -> None:
    calls = 0
    token = sandbox.token("alice")

    def get_token() -> str:
        nonlocal calls
        calls += 1
        return token

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with (
            Poolse(api_url=sandbox.url, get_token=get_token) as chat,
            ThreadPoolExecutor(64) as pool,
        ):
            together = threading.Barrier(64)

            def show(_: int) -> str:
                together.wait()
                return chat.me.show().external_id

            assert set(pool.map(show, range(64))) == {"alice"}
    finally:
        sys.setswitchinterval(interval)
    assert calls == 1


def test_an_async_client_outlives_its_event_loop(sandbox: Sandbox) -> None:
    chat = AsyncPoolse(api_url=sandbox.url, token=sandbox.token("alice"))

    async def show() -> str:
        return (await chat.me.show()).external_id

    async def show_and_close() -> str:
        async with chat:
            return await show()

    # Nobody closed the connections of the first loops before these were closed.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        names = [asyncio.run(call()) for call in (show, show, show_and_close)]
        gc.collect()
    assert names == ["alice"] * 3


def test_the_callers_own_http_client_is_used_and_left_open(sandbox: Sandbox) -> None:
    with httpx.Client() as http:
        with Poolse(api_url=sandbox.url, token=sandbox.token("alice"), http_client=http) as chat:
            assert chat.me.show().external_id == "alice"
        assert not http.is_closed


def test_rest_and_live_over_tls(tls_sandbox: Sandbox) -> None:
    heard = threading.Event()
    with Poolse(
        api_url=tls_sandbox.url,
        token=tls_sandbox.token("alice"),
        ssl_context=tls_sandbox.ssl_context(),
    ) as chat:
        conversation = chat.conversations.create(type="group")
        with chat.realtime.conversation(conversation.id) as live:
            live.on_message(lambda _: heard.set())
            chat.conversations.one(conversation.id).messages.send(body="hello")
            assert heard.wait(10)


def test_both_flavours_see_the_same(sandbox: Sandbox) -> None:
    token = sandbox.token("alice")

    async def converse() -> None:
        async with AsyncPoolse(api_url=sandbox.url, get_token=lambda: token) as chat:
            conversation = await chat.conversations.create(type="group", name="Team")
            messages = chat.conversations.one(conversation.id).messages
            async with chat.realtime.conversation(conversation.id) as live:
                events = live.events(timeout=10)
                sent = [await messages.send(body=str(number)) for number in range(5)]
                seen: list[MessageNew] = []
                while len(seen) < 5:
                    event = await anext(events)
                    seen += [event] if isinstance(event, MessageNew) else []
            assert seen == sent
            assert [message async for message in messages.iter(limit=2)] == sent[::-1]
            with Poolse(api_url=sandbox.url, token=token) as other:
                page = await asyncio.to_thread(
                    other.conversations.one(conversation.id).messages.list
                )
            assert list(page) == sent[::-1]

    asyncio.run(converse())


ERRORS = [
    getattr(poolse, name)
    for name in poolse.errors.__all__
    if issubclass(getattr(poolse, name), PoolseError)
]


@pytest.mark.parametrize("kind", ERRORS)
def test_errors_survive_pickle_and_copy(kind: type[PoolseError]) -> None:
    error = kind.__new__(kind)
    PoolseError.__init__(error, "what happened")
    error.__dict__.update(status=404, code="c", details={"a": 1}, request_id="r", doc_url="")
    for twin in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error), copy.copy(error)):
        assert type(twin) is kind
        assert twin.__dict__ == error.__dict__
        assert str(twin) == str(error)


def test_message_new_is_a_message() -> None:
    assert issubclass(MessageNew, poolse.Message)


def _object(value: object) -> dict[str, object]:
    assert isinstance(value, dict)
    return cast("dict[str, object]", value)


def test_untyped_answers_become_rows(sandbox: Sandbox) -> None:
    with connect(sandbox) as chat:
        answer = chat.rest.request(method="GET", path="/v1/me")
        assert poolse.from_dict(answer, poolse.Me) == chat.me.show()
        assert (
            poolse.to_dict(poolse.from_dict({**_object(answer), "new": 1}, poolse.Me))["new"] == 1
        )
        empty: list[dict[str, object]] = [{}]
        with pytest.raises(poolse.DecodeError, match=r"\$\[0\]|id"):
            poolse.from_dict(empty, list[poolse.Me])


@pytest.mark.parametrize("kind", [Poolse, AsyncPoolse])
@pytest.mark.parametrize("again", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_client_is_neither_pickled_nor_copied(kind: Any, again: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match=r"^a \w*Poolse holds connections .*one in each process$"):
        again(kind(token="t"))


@pytest.mark.parametrize("kind", [Poolse, poolse.PoolseBackend])
def test_the_help_of_a_client_names_its_defaults(kind: Any) -> None:
    assert "lambda" not in str(inspect.signature(kind))
