"""Hooks: what they are told of calls, by either client."""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
import httpx
import pytest

import poolse._observe.observers as watch
from poolse import (
    ApiError,
    AsyncPoolse,
    CallOptions,
    Cancelled,
    CancelToken,
    DecodeError,
    Hooks,
    NetworkError,
    NotFoundError,
    Poolse,
    PoolseBackend,
    ServerError,
    UploadError,
    UsageError,
)
from poolse.testing import Sandbox
from tests.client.observed_clients import CLIENTS, Heard, carried_out, done


@CLIENTS
def test_a_call_is_reported_from_its_beginning_to_its_end(
    client: type[Any], sandbox: Sandbox
) -> None:
    heard = Heard()

    async def scenario(chat: Any) -> None:
        await done(chat.me.show())

    carried_out(client, sandbox, scenario, hooks=heard.hooks())
    begun, ended = heard.infos
    assert (begun.method, begun.path) == ("GET", "/v1/me")
    assert ended.request is begun
    assert (ended.status, ended.attempts, ended.error) == (200, 1, None)
    assert ended.request_id
    assert 0 < ended.seconds < 60


@CLIENTS
def test_retries_are_reported_with_what_did_not_work(client: type[Any], sandbox: Sandbox) -> None:
    heard = Heard()
    sandbox.faults.fail(503, retry_after=0.01)
    sandbox.faults.drop()

    async def scenario(chat: Any) -> None:
        await done(chat.me.show())

    carried_out(client, sandbox, scenario, hooks=heard.hooks())
    refused, lost = heard.retries
    assert [retry.request for retry in heard.retries] == heard.requests * 2
    assert (refused.attempt, refused.status, refused.error) == (1, 503, None)
    assert refused.wait == pytest.approx(0.01)
    assert (lost.attempt, lost.status, lost.wait) == (2, None, 0.0)
    assert isinstance(lost.error, NetworkError)
    assert heard.responses[0].attempts == 3


@CLIENTS
def test_a_new_token_is_reported_as_a_retry(client: type[Any], sandbox: Sandbox) -> None:
    tokens = [sandbox.token("alice"), "stale"]
    heard = Heard()

    async def scenario(chat: Any) -> None:
        await done(chat.me.show())

    options = {"token": None, "get_token": tokens.pop, "hooks": heard.hooks()}
    carried_out(client, sandbox, scenario, **options)
    assert [(retry.status, retry.wait) for retry in heard.retries] == [(401, 0.0)]


@CLIENTS
def test_paths_are_templates(client: type[Any], sandbox: Sandbox) -> None:
    heard = Heard()

    async def scenario(chat: Any) -> None:
        made = await done(chat.conversations.create(type="group"))
        messages = chat.conversations.one(made.id).messages
        sent = await done(messages.send(body="Hello"))
        await done(chat.messages.one(sent.id).add_reaction("👍"))
        await done(messages.list(limit=3))
        raw = f"/v1/conversations/{made.id}/messages?limit=3"
        await done(chat.rest.request(method="GET", path=raw))

    carried_out(client, sandbox, scenario, hooks=heard.hooks())
    assert [f"{call.method} {call.path}" for call in heard.requests] == [
        "POST /v1/conversations",
        "POST /v1/conversations/{conversation_id}/messages",
        "POST /v1/messages/{message_id}/reactions",
        "GET /v1/conversations/{conversation_id}/messages",
        "GET /v1/conversations/{}/messages",
    ]


@CLIENTS
def test_bytes_of_files_are_calls_without_their_urls(client: type[Any], sandbox: Sandbox) -> None:
    heard = Heard()
    sandbox.faults.fail(500, path="/storage/*", method="GET")
    sandbox.faults.expire_urls(method="PUT")

    async def scenario(chat: Any) -> None:
        row = await done(chat.attachments.upload(b"bytes", content_type="image/png"))
        assert await done(chat.attachments.one(row).download()) == b"bytes"

    carried_out(client, sandbox, scenario, hooks=heard.hooks())
    storage = [info for info in heard.responses if info.request.path == "(storage)"]
    assert [(i.request.method, i.status, i.attempts) for i in storage] == [
        ("PUT", 200, 2),
        ("GET", 200, 2),
    ]
    told = [(retry.request.method, retry.status) for retry in heard.retries]
    assert told == [("PUT", 403), ("GET", 500)]
    assert "X-Amz" not in repr(heard.infos)


@CLIENTS
def test_every_end_is_reported_once(client: type[Any], sandbox: Sandbox) -> None:
    heard = Heard()
    token = CancelToken()

    async def scenario(chat: Any) -> None:
        with pytest.raises(ApiError):
            await done(chat.conversations.one("nothing").show())
        with pytest.raises(UsageError):
            await done(chat.conversations.create(type=7))
        sandbox.faults.hang(path="/v1/me")
        stopped = asyncio.to_thread(sandbox.wait_for, lambda: len(sandbox.requests) == 2)
        ending = asyncio.create_task(_then(stopped, token.cancel))
        await asyncio.sleep(0)
        call: Any = chat.me.show
        options = CallOptions(cancel=token)
        if client is Poolse:
            call = partial(asyncio.to_thread, call)
        with pytest.raises(Cancelled):
            await call(options=options)
        await ending
        sandbox.faults.clear()

    carried_out(client, sandbox, scenario, hooks=heard.hooks())
    # What is refused before anything is sent is no call.
    assert [type(info.error) for info in heard.responses] == [NotFoundError, Cancelled]
    assert [info.request for info in heard.responses] == heard.requests


async def _then(first: Any, then: Callable[[], None]) -> None:
    await first
    then()


@CLIENTS
def test_a_hook_that_raises_is_logged_and_harms_nothing(
    client: type[Any], sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    heard = Heard()

    def broken(info: object) -> None:
        raise RuntimeError("no such gauge")

    sandbox.faults.drop()
    hooks = [Hooks(on_request=broken, on_response=broken, on_retry=broken), heard.hooks()]

    async def scenario(chat: Any) -> None:
        await done(chat.me.show())

    carried_out(client, sandbox, scenario, hooks=hooks)
    assert len(heard.infos) == 3
    assert [record.name for record in caplog.records].count("poolse.hooks") == 3
    assert "the hook on_retry failed" in caplog.text
    assert "no such gauge" in caplog.text


def test_an_async_client_awaits_its_hooks(sandbox: Sandbox) -> None:
    order: list[str] = []

    async def on_request(info: object) -> None:
        await asyncio.sleep(0)
        order.append("request")

    async def on_response(info: object) -> None:
        await asyncio.sleep(0)
        order.append("response")

    async def scenario(chat: Any) -> None:
        await chat.me.show()
        order.append("result")

    hooks = Hooks(on_request=on_request, on_response=on_response)
    carried_out(AsyncPoolse, sandbox, scenario, hooks=hooks)
    assert order == ["request", "response", "result"]


def test_a_task_that_is_cancelled_in_a_hook_is_counted_out(sandbox: Sandbox) -> None:
    async def on_request(info: object) -> None:
        await asyncio.Event().wait()

    async def scenario(chat: Any) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await chat.me.show()
        assert chat.stats().calls.active == 0

    carried_out(AsyncPoolse, sandbox, scenario, hooks=Hooks(on_request=on_request))


@CLIENTS
def test_nothing_is_built_when_nobody_listens(
    client: type[Any],
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "poolse.http")

    def built(**fields: object) -> object:
        raise AssertionError("nobody wants it")

    for name in ("RequestInfo", "ResponseInfo", "RetryInfo"):
        monkeypatch.setattr(watch, name, built)
    sandbox.faults.drop()

    async def scenario(chat: Any) -> None:
        await done(chat.me.show())

    carried_out(client, sandbox, scenario, hooks=Hooks(on_realtime=print))


@pytest.mark.parametrize(
    ("hooks", "complaint"),
    [
        (print, "hooks must be a Hooks, such as Hooks(on_response=print), not builtin_function"),
        ([Hooks(), {}], "hooks must be a Hooks, such as Hooks(on_response=print), not dict"),
        (Hooks(on_retry="print"), "on_retry must be a function, not str"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_hook_is_refused(hooks: Any, complaint: str) -> None:
    with pytest.raises(UsageError) as refused:
        Poolse(token="t", hooks=hooks)
    assert complaint in str(refused.value)


def test_a_sync_client_takes_no_async_hooks() -> None:
    async def on_response(info: object) -> None:
        """Nobody would await it."""

    with pytest.raises(UsageError, match=r"on_response is async.*AsyncPoolse"):
        Poolse(token="t", hooks=Hooks(on_response=on_response))


def test_infos_are_frozen_and_views_and_backends_tell_too(sandbox: Sandbox) -> None:
    heard = Heard()
    with Poolse(api_url=sandbox.url, token=sandbox.token("a"), hooks=heard.hooks()) as chat:
        chat.with_options(max_retries=0).me.show()
    backend = PoolseBackend(api_key=sandbox.api_key, api_url=sandbox.url, hooks=heard.hooks())
    with backend:
        backend.users.create(external_id="ann", display_name="Ann")
    assert [call.path for call in heard.requests] == ["/v1/me", "/v1/users"]
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        heard.requests[0].method = "PUT"  # type: ignore[misc]


def test_errors_name_the_request_on_both_sides(sandbox: Sandbox) -> None:
    heard = Heard()
    options: dict[str, Any] = {"max_retries": 1, "base_backoff": 0.0, "hooks": heard.hooks()}
    with Poolse(api_url=sandbox.url, token=sandbox.token("a"), **options) as chat:
        sandbox.faults.fail(503, times=2)
        with pytest.raises(ServerError) as refused:
            chat.conversations.create(type="group")
        sandbox.faults.drop(times=2)
        with pytest.raises(NetworkError) as lost:
            chat.conversations.create(type="group")
        sandbox.faults.fail(404, path="/storage/*")
        with pytest.raises(UploadError) as upload:
            chat.attachments.upload(b"x", content_type="image/png")
    keys = [request.headers.get("idempotency-key") for request in sandbox.requests]
    assert pickle.loads(pickle.dumps(refused.value)).idempotency_key == keys[0] == keys[1]
    assert lost.value.idempotency_key == keys[2] == keys[3] != keys[0]
    assert refused.value.request_id == heard.responses[0].request_id
    assert upload.value.request_id


def test_an_answer_that_is_no_json_names_its_request() -> None:
    odd = httpx.Response(200, content=b"<html>", headers={"X-Request-Id": "r-1"})
    with httpx.Client(transport=httpx.MockTransport(lambda _: odd)) as http:
        chat = Poolse(api_url="http://api.test", token="t", http_client=http)
        with pytest.raises(DecodeError) as refused:
            chat.me.show()
    assert refused.value.request_id == "r-1"
