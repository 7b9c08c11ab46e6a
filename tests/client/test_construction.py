"""A client that cannot work is refused when it is made, in words that say what to do."""

from __future__ import annotations

import asyncio
import inspect
from functools import partial
from typing import Any

import httpx
import pytest

from poolse import AsyncPoolse, Poolse, Timeout, UsageError
from poolse.async_client import AsyncPoolseBackend
from poolse.client import PoolseBackend
from poolse.testing import Sandbox

CLIENTS: list[Any] = [Poolse, AsyncPoolse]
BACKENDS: list[Any] = [PoolseBackend, AsyncPoolseBackend]


async def async_token() -> str:
    return "token"


class AsyncCallable:
    async def __call__(self) -> str:
        return "token"

    async def method(self) -> str:
        return "token"


@pytest.fixture(autouse=True)
def nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POOLSE_TOKEN", "POOLSE_API_KEY", "POOLSE_API_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("kind", CLIENTS + BACKENDS)
def test_a_wrong_keyword_is_reported_in_the_name_of_the_client(kind: Any) -> None:
    name = kind.__name__
    with pytest.raises(TypeError, match=rf"^{name}\.__init__\(\) got an unexpected .*'tokn'"):
        kind(tokn="x")
    with pytest.raises(TypeError, match=rf"^{name}\.__init__\(\) takes 1 positional"):
        kind("x")
    parameters = inspect.signature(kind).parameters
    assert {"api_url", "timeout", "http_client"} < set(parameters)
    assert all(one.kind is inspect.Parameter.KEYWORD_ONLY for one in parameters.values())


CREDENTIALS: list[tuple[dict[str, Any], str]] = [
    ({}, "no credential: pass get_token or token, or set POOLSE_TOKEN"),
    ({"token": "a", "get_token": lambda: "b"}, "not both"),
    ({"token": "", "get_token": lambda: "b"}, "not both"),
    ({"token": ""}, "token is blank"),
    ({"token": " \n"}, "token is blank"),
    ({"token": "s3cret\n"}, "token has blanks around it"),
    ({"token": "s3cret\r\nX: y"}, "token has .* characters that HTTP cannot carry"),
    ({"token": b"s3cret"}, "token must be a str, not bytes"),
    ({"token": async_token}, "pass a function as get_token"),
    ({"get_token": "s3cret"}, "get_token must be a function, not str"),
    ({"get_token": ["s3cret"]}, "get_token must be a function, not list"),
]


@pytest.mark.parametrize(("arguments", "complaint"), CREDENTIALS)
@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_has_one_credential(
    client: Any, arguments: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint) as caught:
        client(**arguments)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("client", CLIENTS)
def test_an_empty_token_does_not_fall_back_to_the_environment(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POOLSE_TOKEN", "of the environment")
    with pytest.raises(UsageError, match="token is blank"):
        client(token="")
    monkeypatch.setenv("POOLSE_TOKEN", " ")
    with pytest.raises(UsageError, match="POOLSE_TOKEN is blank"):
        client()
    monkeypatch.setenv("POOLSE_TOKEN", "")
    with pytest.raises(UsageError, match="no credential"):
        client()


@pytest.mark.parametrize(
    "get_token",
    [
        async_token,
        partial(async_token),
        partial(partial(async_token)),
        AsyncCallable(),
        partial(AsyncCallable()),
        AsyncCallable().method,
    ],
)
def test_an_async_get_token_is_for_the_async_client(get_token: Any) -> None:
    with pytest.raises(UsageError, match="use AsyncPoolse, or pass a plain function"):
        Poolse(get_token=get_token)

    with pytest.raises(UsageError, match=r"on_socket_error is async.*: use AsyncPoolse"):
        Poolse(token="t", on_socket_error=get_token)

    async def ask() -> str | None:
        async with AsyncPoolse(get_token=get_token, on_socket_error=get_token) as chat:
            return chat.user_id

    assert asyncio.run(ask()) is None


ANY: list[tuple[dict[str, Any], str]] = [
    ({"api_url": "https://example.com/v1/"}, "leave /v1 out of api_url: it is part"),
    ({"api_url": "example.com"}, "api_url must start with http:// or https://"),
    ({"timeout": -1}, "timeout must be"),
    ({"timeout": "5"}, "timeout must be a number of seconds, a Timeout or None, not str"),
    ({"max_retries": -1}, "max_retries must be at least 0"),
    ({"max_retries": True}, "max_retries must be an int, not bool"),
    ({"base_backoff": -0.1}, "base_backoff must be"),
    ({"base_backoff": float("nan")}, "base_backoff must be"),
    ({"max_backoff": float("inf")}, "max_backoff must be"),
    ({"max_backoff": None}, "max_backoff must be a number of seconds, not None"),
    ({"max_retry_after": True}, "max_retry_after must be a number of seconds, not bool"),
    ({"max_connections": 0}, "max_connections must be at least 1"),
    ({"max_connections": 1.5}, "max_connections must be an int"),
    ({"headers": [("a", "b")]}, "headers must be a mapping"),
    ({"headers": {"a": "b\r\nc: d"}}, "the value of header a"),
    ({"headers": {"a": None}}, "the value of header a must be a str, not None"),
    ({"user_agent": "a\r\nb: c"}, "the value of header User-Agent"),
    ({"user_agent": 7}, "user_agent must be a str, not int"),
    ({"generate_idempotency_key": "key"}, "generate_idempotency_key must be a function, not str"),
    ({"generate_idempotency_key": async_token}, "generate_idempotency_key is async"),
    ({"proxy": "ftp://proxy"}, "the URL of a proxy starts with"),
    ({"proxy": 7}, "proxy must be a str, not int"),
    ({"ssl_context": True}, "ssl_context must be an ssl.SSLContext, not bool"),
    ({"http_client": "http"}, "http_client must be an httpx"),
    ({"http_client": object()}, "http_client must be an httpx"),
    ({"http_client": httpx}, "http_client must be an httpx"),
    ({"http_client": httpx.Client}, "http_client must be an httpx.*, not the class"),
    ({"http_client": httpx.AsyncClient}, "http_client must be an httpx.*, not the class"),
]
LIVE: list[tuple[dict[str, Any], str]] = [
    ({"ws_url": "ftp://example.com"}, "ws_url must start with ws:// or wss://"),
    ({"ws_url": "wss://example.com/v1"}, "leave /v1 out of ws_url: no socket is below it"),
    ({"socket_path": 7}, "socket_path must be a str, not int"),
    ({"channels_per_socket": 0}, "channels_per_socket must be at least 1"),
    ({"channels_per_socket": True}, "channels_per_socket must be an int, not bool"),
    ({"on_socket_error": "log"}, "on_socket_error must be a function, not str"),
]


@pytest.mark.parametrize(("arguments", "complaint"), [*ANY, *LIVE])
@pytest.mark.parametrize("client", CLIENTS)
def test_an_argument_that_makes_no_sense_is_refused(
    client: Any, arguments: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        client(token="token", **arguments)


@pytest.mark.parametrize(("arguments", "complaint"), ANY)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_backend_refuses_the_same(
    backend: Any, arguments: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        backend(api_key="key", **arguments)


def test_an_http_client_of_the_other_flavour_is_refused() -> None:
    wrong: Any = httpx.AsyncClient()
    for sync_client in (Poolse, PoolseBackend):
        with pytest.raises(UsageError, match=r"is async: pass an httpx\.Client"):
            sync_client(**_credential(sync_client), http_client=wrong)
    asyncio.run(wrong.aclose())
    with httpx.Client() as sync_one:
        wrong = sync_one
        for async_client in (AsyncPoolse, AsyncPoolseBackend):
            with pytest.raises(UsageError, match=r"is sync: pass an httpx\.AsyncClient"):
                async_client(**_credential(async_client), http_client=wrong)


def _credential(client: Any) -> Any:
    return {"api_key": "key"} if client in BACKENDS else {"token": "token"}


@pytest.mark.parametrize("client", CLIENTS)
def test_what_makes_sense_is_taken(client: Any) -> None:
    client(
        token="token",
        base_backoff=5,
        max_backoff=0,
        max_retries=0,
        max_retry_after=0,
        max_connections=1,
        channels_per_socket=1,
        timeout=Timeout(None, connect=1),
        headers={},
        user_agent="",
        proxy="http://ann:password@proxy:3128",
        socket_path="",
    )


def test_a_header_of_the_caller_replaces_ours_in_whatever_case() -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={})

    mine = {"user-AGENT": "mine", "ACCEPT": "application/x"}
    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        chat = Poolse(api_url="http://api.test", token="t", headers=mine, http_client=http)
        chat.rest.request(method="GET", path="/v1/me")
    for name, value in mine.items():
        assert sent[0].headers.get_list(name) == [value]


def test_an_option_is_judged_where_it_is_given(sandbox: Sandbox) -> None:
    wrong: list[Any] = [{"timeout": -1}, {"max_retries": "3"}, {"headers": {"a": "\n"}}]
    with Poolse(api_url=sandbox.url, token=sandbox.token("alice")) as chat:
        for options in wrong:
            with pytest.raises(UsageError):
                chat.with_options(**options)
            with pytest.raises(UsageError, match="options must be a CallOptions, not dict"):
                chat.me.show(options=options)
    assert sandbox.requests == []


def test_a_walk_over_pages_is_refused_before_its_first_step(sandbox: Sandbox) -> None:
    wrong: Any = 7
    token = sandbox.token("alice")
    for chat in (
        Poolse(api_url=sandbox.url, token=token),
        AsyncPoolse(api_url=sandbox.url, token=token),
    ):
        with pytest.raises(UsageError, match=r"id must be the ID of a conversation, .* not int"):
            chat.conversations.one(wrong).messages.iter()
    assert sandbox.requests == []
