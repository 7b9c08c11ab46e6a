"""The recorded behaviour of the official JavaScript client holds for both flavours."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from poolse import AsyncPoolse, Poolse, PoolseError
from poolse._http.async_sender import AsyncSender
from poolse._http.sync_sender import SyncSender
from tests.conformance.permuted_vectors import permuted
from tests.conformance.script_server import ScriptServer
from tests.conformance.vectors import (
    Observed,
    complaints,
    is_object,
    load,
    make_token,
)

SEED = 20261125
VECTORS = load()


class ScriptedError(Exception):
    """Raised by a scripted callback."""


class Setup:
    """The arguments of a client for one vector, and what its callbacks were asked."""

    def __init__(self, config: dict[str, Any], base: str) -> None:
        self._tokens: list[Any] = config.get("tokens", ["tok-1"])
        self._keys: list[Any] = config.get("idempotency_keys", [])
        self.token_calls = 0
        self._key_calls = 0
        self.tokens: dict[int, str] = {}
        self.arguments: dict[str, Any] = {
            "api_url": base + config.get("api_url_suffix", ""),
            "get_token": self.get_token,
        }
        if "max_retries" in config:
            self.arguments["max_retries"] = config["max_retries"]
        for name in ("base_backoff", "max_backoff"):
            if f"{name}_ms" in config:
                self.arguments[name] = config[f"{name}_ms"] / 1000
        if self._keys:
            self.arguments["generate_idempotency_key"] = self._key

    def get_token(self) -> str | None:
        number = min(self.token_calls, len(self._tokens) - 1)
        self.token_calls += 1
        script = self._tokens[number]
        if is_object(script) and "throw" in script:
            raise ScriptedError(script["throw"])
        token = make_token(script)
        if is_object(script) and token is not None:
            self.tokens[number] = token
        return token

    def _key(self) -> str:
        script = self._keys[min(self._key_calls, len(self._keys) - 1)]
        self._key_calls += 1
        if is_object(script):
            raise ScriptedError(script["throw"])
        return str(script)


def bind(client: object, call: dict[str, Any]) -> Callable[[], Any]:
    target: Any = client
    for part in call["path"]:
        target = getattr(target, part) if isinstance(part, str) else target.one(part["one"])
    arguments = {name: _decoded(value) for name, value in call.get("args", {}).items()}
    return lambda: target(**arguments)


def _decoded(value: Any) -> Any:
    """An argument, which JSON may not be able to say."""
    if is_object(value) and value.keys() == {"$bytes"}:
        return base64.b64decode(value["$bytes"])
    return value


def run_sync(vector: dict[str, Any], setup: Setup, observed: Observed) -> None:
    with Poolse(**setup.arguments) as chat:
        for call in vector.get("setup_calls", []):
            with suppress(PoolseError, ScriptedError):
                bind(chat, call)()
        try:
            observed.result = bind(chat, vector["call"])()
        except Exception as error:
            observed.error = error


async def run_async(vector: dict[str, Any], setup: Setup, observed: Observed) -> None:
    async with AsyncPoolse(**setup.arguments) as chat:
        for call in vector.get("setup_calls", []):
            with suppress(PoolseError, ScriptedError):
                await bind(chat, call)()
        try:
            observed.result = await bind(chat, vector["call"])()
        except Exception as error:
            observed.error = error


@pytest.mark.parametrize("flavour", ["sync", "async"])
@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_vector(vector: dict[str, Any], flavour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    observed = run(vector, flavour, monkeypatch)
    assert not complaints(vector, observed)


@pytest.mark.parametrize("flavour", ["sync", "async"])
@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_permuted(vector: dict[str, Any], flavour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    vector = permuted(vector, SEED)
    observed = run(vector, flavour, monkeypatch)
    assert not complaints(vector, observed)


def run(vector: dict[str, Any], flavour: str, monkeypatch: pytest.MonkeyPatch) -> Observed:
    """What a client does when the server answers as the vector says."""
    sleeps: list[tuple[int, float]] = []

    # The waits are judged by what was asked for, so that no test has to sit through them.
    async def sleep(_self: object, seconds: float, _cancel: object) -> None:
        sleeps.append((len(server.seen), seconds))

    monkeypatch.setattr(SyncSender, "sleep", sleep)
    monkeypatch.setattr(AsyncSender, "sleep", sleep)
    with ScriptServer(vector["responses"]) as server:
        setup = Setup(vector["config"], server.base)
        if vector["config"].get("server") == "refused":
            server.refuse()
        observed = Observed(server.seen, sleeps, 0, setup.tokens)
        if flavour == "sync":
            run_sync(vector, setup, observed)
        else:
            asyncio.run(run_async(vector, setup, observed))
        observed.token_calls = setup.token_calls
    return observed


def test_all_vectors_are_here() -> None:
    assert len(VECTORS) == 377


def test_a_permuted_vector_is_another_one() -> None:
    texts = [
        [json.dumps(permuted(vector, seed), sort_keys=True) for vector in VECTORS]
        for seed in (1, 2, 1)
    ]
    assert texts[0] == texts[2]
    same = sum(one == other for one, other in zip(texts[0], texts[1], strict=True))
    # Two vectors are about tokens of their own alone.
    assert same == 2
