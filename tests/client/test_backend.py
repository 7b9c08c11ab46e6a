"""The clients of the customer's own server, which call with an API key."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from poolse import UsageError
from poolse.async_client import AsyncPoolseBackend
from poolse.client import PoolseBackend

KEY = "pk_live_s3cret"
BACKENDS: list[Any] = [PoolseBackend, AsyncPoolseBackend]


class Api:
    """Refuses with the scripted statuses, then answers."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.seen: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return httpx.Response(self.statuses.pop(0) if self.statuses else 201, json={"token": "t"})


def post(backend: Any, api: Api, **arguments: Any) -> Any:
    """One call with a client of either flavour, and all that was captured."""
    call: Any = {"method": "POST", "path": "/v1/users", "body": {"external_id": "ann"}}
    transport = httpx.MockTransport(api)
    if backend is PoolseBackend:
        with (
            httpx.Client(transport=transport) as http,
            PoolseBackend(http_client=http, **arguments) as client,
            client.capture() as calls,
        ):
            return client.rest.request(**call), calls

    async def run() -> Any:
        async with (
            httpx.AsyncClient(transport=transport) as http,
            AsyncPoolseBackend(http_client=http, **arguments) as client,
        ):
            with client.capture() as calls:
                return await client.rest.request(**call), calls

    return asyncio.run(run())


@pytest.mark.parametrize("backend", BACKENDS)
def test_it_calls_with_its_key_and_the_retries_of_all_clients(backend: Any) -> None:
    api = Api(503)
    answer, calls = post(backend, api, api_key=KEY, api_url="http://api.test", base_backoff=0.0)
    assert answer == {"token": "t"}
    assert [call.attempts for call in calls] == [2]
    assert {request.headers["authorization"] for request in api.seen} == {f"Bearer {KEY}"}
    assert len({request.headers["idempotency-key"] for request in api.seen}) == 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_environment_has_the_key(backend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLSE_API_KEY", KEY)
    monkeypatch.setenv("POOLSE_API_URL", "http://environment.test")
    api = Api()
    post(backend, api)
    assert api.seen[0].url.host == "environment.test"
    assert api.seen[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_refused_key_is_final(backend: Any) -> None:
    api = Api(401)
    with pytest.raises(Exception, match="401"):
        post(backend, api, api_key=KEY)
    assert len(api.seen) == 1


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        (None, "pass api_key, or set POOLSE_API_KEY"),
        ("", "api_key is blank"),
        (" ", "api_key is blank"),
        (f"{KEY}\n", "api_key has blanks around it"),
        (7, "api_key must be a str, not int"),
    ],
)
def test_a_key_that_is_none_is_refused(
    backend: Any, key: Any, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POOLSE_API_KEY", raising=False)
    with pytest.raises(UsageError, match=complaint) as caught:
        backend(api_key=key)
    assert KEY not in str(caught.value)
    if key is not None:
        monkeypatch.setenv("POOLSE_API_KEY", KEY)
        with pytest.raises(UsageError, match=complaint):
            backend(api_key=key)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_token_of_a_user_is_no_key(backend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POOLSE_API_KEY", raising=False)
    monkeypatch.setenv("POOLSE_TOKEN", "token")
    with pytest.raises(UsageError, match="POOLSE_API_KEY"):
        backend()


@pytest.mark.parametrize("backend", BACKENDS)
def test_it_has_nothing_that_belongs_to_one_user(backend: Any) -> None:
    client = backend(api_key=KEY)
    assert not hasattr(client, "realtime")
    assert not hasattr(client, "user_id")
    assert KEY not in repr(client)


def test_a_view_of_it_shares_its_key_and_closes_nothing() -> None:
    api = Api()
    with httpx.Client(transport=httpx.MockTransport(api)) as http:
        client = PoolseBackend(api_key=KEY, api_url="http://api.test", http_client=http)
        with client.with_options(headers={"X-From": "view"}) as view:
            view.rest.request(method="GET", path="/v1/x")
        client.rest.request(method="GET", path="/v1/x")
        client.close()
        with pytest.raises(UsageError, match="closed"):
            view.rest.request(method="GET", path="/v1/x")
    assert [request.headers.get("x-from") for request in api.seen] == ["view", None]
