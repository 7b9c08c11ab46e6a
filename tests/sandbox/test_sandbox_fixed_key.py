"""A sandbox whose API key is given, and what it reports while it runs."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from poolse import Poolse, PoolseBackend
from poolse.testing import Request, Sandbox


def test_tokens_and_ids_are_the_same_in_each_run() -> None:
    runs: list[tuple[str, str, str]] = []
    for _ in range(2):
        with Sandbox(api_key="pk_dev") as sandbox:
            token = sandbox.token("alice", lifetime=math.inf)
            with Poolse(api_url=sandbox.url, token=token) as chat:
                runs.append((sandbox.api_key, chat.me.show().id, token))
    assert runs[0] == runs[1]
    with Sandbox(api_key="pk_other") as other:
        assert other.token("alice", lifetime=math.inf) != runs[0][2]


def test_a_token_without_an_end_outlives_any_clock() -> None:
    with Sandbox() as sandbox:
        token = sandbox.token("alice", lifetime=math.inf)
        sandbox.clock.advance(10 * 365 * 86400.0)
        assert sandbox.token("alice", lifetime=math.inf) == token
        with Poolse(api_url=sandbox.url, token=token) as chat:
            assert chat.me.show().external_id == "alice"


def test_a_reset_keeps_the_key() -> None:
    with Sandbox(api_key="pk_dev") as sandbox:
        sandbox.reset()
        with PoolseBackend(api_key="pk_dev", api_url=sandbox.url) as backend:
            assert backend.users.create(external_id="alice").external_id == "alice"


def test_a_data_file_takes_the_key_and_keeps_its_users(tmp_path: Path) -> None:
    data = tmp_path / "chat.db"
    ids: list[str] = []
    for key in (None, "pk_dev", "pk_dev", "pk_new"):
        with Sandbox(data=data, api_key=key) as sandbox:
            assert key in (None, sandbox.api_key)
            ids.append(sandbox.user_id("alice"))
    assert len({*ids}) == 1


@pytest.mark.parametrize("key", ["", "a b", "ü", "a\n", "'"])
def test_a_key_that_no_header_can_carry(key: str) -> None:
    with pytest.raises(ValueError, match="api_key must consist of"):
        Sandbox(api_key=key)


def test_requests_and_handshakes_are_reported_when_they_end() -> None:
    ended: list[Request] = []
    with Sandbox(on_request=ended.append) as sandbox:
        with Poolse(api_url=sandbox.url, token=sandbox.token("alice")) as chat:
            me = chat.me.show()
            chat.realtime.user(me.id).wait_joined(timeout=10)
        sandbox.wait_for(lambda: len(ended) >= 2)
    assert [(each.method, each.shown_path, each.status) for each in ended] == [
        ("GET", "/v1/me", 200),
        ("GET", "/socket/websocket?...", 101),
    ]


def test_what_is_dropped_is_reported_too() -> None:
    ended: list[Request] = []
    with Sandbox(on_request=ended.append) as sandbox:
        sandbox.faults.drop()
        with Poolse(api_url=sandbox.url, token=sandbox.token("alice")) as chat:
            chat.me.show()
        sandbox.wait_for(lambda: len(ended) >= 2)
    assert [(each.cut, each.status) for each in ended] == [(True, None), (False, 200)]
