"""Tokens, API keys and passwords are shown by nothing, not even by the locals of a traceback."""

from __future__ import annotations

import asyncio
import copy
import pickle
import socket
import traceback
from typing import Any

import httpx
import pytest

from poolse import AsyncPoolse, Hooks, Poolse, PoolseError, UsageError
from poolse.async_client import AsyncPoolseBackend
from poolse.client import PoolseBackend
from poolse.testing import Sandbox
from tests.client.public_calls import done
from tests.secret_guard import SECRETS

# Module globals: what a test has among its own local variables would be found in the traceback.
SECRET = "s3cret-of-the-caller"
PROXY = f"http://ann:{SECRET}@127.0.0.1:1"

CLIENTS = [
    f"{flavour} {credential}"
    for flavour in ("sync", "async")
    for credential in ("token", "get_token", "api_key")
]


def make(client: str, *, through_proxy: bool = False, **more: Any) -> Any:
    if through_proxy:
        more["proxy"] = PROXY
    flavour, _, credential = client.partition(" ")
    kinds: list[Any] = [Poolse, PoolseBackend]
    if flavour == "async":
        kinds = [AsyncPoolse, AsyncPoolseBackend]
    match credential:
        case "token":
            return kinds[0](token=SECRET, **more)
        case "get_token":
            return kinds[0](get_token=lambda: SECRET, **more)
        case _:
            return kinds[1](api_key=SECRET, **more)


def seen_in(error: BaseException) -> str:
    """All that a tool could print of the error."""
    found = traceback.TracebackException.from_exception(error, capture_locals=True)
    twins = [pickle.loads(pickle.dumps(error)), copy.deepcopy(error)]
    return "\n".join([*found.format(), *map(repr, twins), *map(str, twins)])


def failure(client: str, **more: Any) -> PoolseError:
    """What a call raises. Tracebacks begin here."""
    if client.startswith("sync"):
        with make(client, max_retries=0, **more) as chat, pytest.raises(PoolseError) as caught:
            chat.rest.request(method="POST", path="/v1/x", body={})
        return caught.value

    async def run() -> PoolseError:
        async with make(client, max_retries=0, **more) as chat:
            with pytest.raises(PoolseError) as caught:
                await chat.rest.request(method="POST", path="/v1/x", body={})
        return caught.value

    return asyncio.run(run())


@pytest.fixture
def nobody() -> str:
    """Where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("client", CLIENTS)
def test_no_error_of_a_call_shows_a_secret(client: str, sandbox: Sandbox, nobody: str) -> None:
    sandbox.faults.fail(500)
    sandbox.faults.drop()
    failures = [
        failure(client, api_url=sandbox.url),
        failure(client, api_url=sandbox.url),
        failure(client, api_url=nobody),
        failure(client, api_url=sandbox.url, through_proxy=True),
    ]
    for error in failures:
        assert SECRET not in seen_in(error)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    "wrong",
    [
        {"api_url": "nowhere"},
        {"api_url": f"https://ann:{SECRET}@api.test"},
        {"headers": {"a": "\n"}},
        {"max_retries": -1},
        {"proxy": f"ftp://ann:{SECRET}@proxy"},
        {"proxy": f"http://ann:{SECRET}@proxy:port"},
        {"http_client": 7},
    ],
)
def test_no_constructor_that_refuses_shows_a_secret(client: str, wrong: dict[str, Any]) -> None:
    error = refusal(client, **{"proxy": PROXY, **wrong})
    # What the test passes on is in its own frames, so only those of the library count.
    assert SECRET not in library_frames(error)


def refusal(client: str, **more: Any) -> PoolseError:
    with pytest.raises(PoolseError) as caught:
        make(client, **more)
    return caught.value


def library_frames(error: BaseException) -> str:
    found = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert found.__cause__ is None
    frames = [frame for frame in found.stack if "/poolse/" in frame.filename]
    assert frames
    return str(error) + "".join(str(frame.locals) for frame in frames)


@pytest.mark.parametrize("client", [name for name in CLIENTS if "get_token" not in name])
def test_a_secret_that_http_cannot_carry_is_refused_without_being_shown(
    client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.SECRET", f"{SECRET}\r\n")
    assert SECRET.strip() not in library_frames(refusal(client))


@pytest.mark.parametrize("client", ["sync get_token", "async get_token"])
@pytest.mark.parametrize("returned", [f"{SECRET}\n", {"token": SECRET}], ids=["line", "dict"])
def test_what_get_token_returned_is_refused_without_being_shown(
    client: str, returned: object, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.SECRET", returned)
    error = failure(client, api_url=sandbox.url)
    assert isinstance(error, UsageError)
    assert "s3cret" not in library_frames(error)
    assert sandbox.requests == []


def test_a_secret_of_the_environment_is_refused_without_being_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("POOLSE_TOKEN", f"{SECRET}\n")
    with pytest.raises(PoolseError) as caught:
        Poolse()
    assert SECRET not in library_frames(caught.value)


@pytest.mark.parametrize("client", CLIENTS)
def test_no_part_of_a_client_shows_a_secret(client: str) -> None:
    chat = make(client, api_url="http://127.0.0.1:1", proxy=PROXY)
    parts: list[object] = [chat, *chat.__dict__.values()]
    parts += [inner for part in parts for inner in getattr(part, "__dict__", {}).values()]
    assert SECRET not in "\n".join(map(repr, parts))


DEVICE = "s3cret/of a device"
WAYS = [(flavour, way) for flavour in ("sync", "async") for way in ("own", "httpx")]


@pytest.mark.parametrize(("flavour", "way"), WAYS)
def test_a_device_token_is_shown_by_nothing(flavour: str, way: str, sandbox: Sandbox) -> None:
    """It is in the path of the request. `tests.secret_guard` hears what is logged."""
    seen: list[object] = []
    hooks = Hooks(on_request=seen.append, on_response=seen.append, on_retry=seen.append)

    async def run() -> None:
        http: Any = None
        if way == "httpx":
            http = (httpx.Client if flavour == "sync" else httpx.AsyncClient)(trust_env=False)
        kind: Any = Poolse if flavour == "sync" else AsyncPoolse
        chat = kind(
            api_url=sandbox.url,
            token=sandbox.token("alice"),
            http_client=http,
            hooks=hooks,
            max_retries=0,
        )
        with chat.capture() as calls:
            await done(chat.devices.register(DEVICE, platform="ios"))
            await done(chat.devices.unregister(DEVICE))
            for fault in (None, sandbox.faults.drop, lambda: sandbox.faults.fail(500)):
                if fault is not None:
                    fault()
                with pytest.raises(PoolseError) as caught:
                    await done(chat.devices.unregister(DEVICE))
                seen.extend((caught.value, str(caught.value), caught.value.__cause__))
        await done(chat.aclose() if flavour == "async" else chat.close())
        if http is not None:
            await done(http.aclose() if flavour == "async" else http.close())
        assert [call.path for call in calls] == ["/v1/devices", *["/v1/devices/..."] * 4]
        seen.extend(calls)

    asyncio.run(run())
    # The sandbox was sent it, and does not show it either.
    assert sandbox.requests[-1].path == "/v1/devices/s3cret%2Fof%20a%20device"
    assert repr(sandbox.requests[-1]) == "<Request DELETE /v1/devices/...: 500>"
    assert not SECRETS.search(repr(seen))
