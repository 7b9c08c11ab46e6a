"""What carries calls: ICE servers, and tokens for LiveKit."""

from __future__ import annotations

import time
from collections.abc import Iterator

import jwt
import pytest

from poolse.testing import Sandbox
from tests.sandbox.raw_clients import User, error_of, users_of

SERVERS: list[dict[str, object]] = [
    {"urls": ["turn:turn.example:3478"], "username": "u", "credential": "s3cret"},
    {"urls": "stun:stun.example"},
]
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def media_user() -> Iterator[User]:
    """A user of a sandbox that has all of it."""
    with (
        Sandbox(ice_servers=SERVERS, livekit_url="wss://livekit.example") as sandbox,
        users_of(sandbox) as new_user,
    ):
        yield new_user("alice")


def test_there_is_one_stun_server(alice: User) -> None:
    answer = alice.ask("GET", "/ice-servers")
    assert answer.status_code == 200
    (server,) = answer.json()["ice_servers"]
    assert server["urls"].startswith("stun:")
    assert answer.json()["ttl_seconds"] == 3600


def test_the_servers_can_be_chosen(media_user: User) -> None:
    assert media_user.ask("GET", "/ice-servers").json()["ice_servers"] == SERVERS


def test_without_livekit_it_is_503(alice: User) -> None:
    answer = alice.ask("POST", f"/conversations/{alice.conversation()}/call-token")
    assert error_of(answer) == (503, "service_unavailable")


def test_a_call_token_is_the_users(media_user: User) -> None:
    talk = media_user.conversation()
    answer = media_user.ask("POST", f"/conversations/{talk}/call-token")
    assert answer.status_code == 200
    connection = answer.json()
    claims = jwt.decode(connection.pop("token"), options={"verify_signature": False})
    assert claims["sub"] == media_user.id
    assert claims["exp"] == connection["expires_at"]
    assert 3590 < connection.pop("expires_at") - time.time() <= 3601
    assert connection == {"url": "wss://livekit.example", "room": talk}


def test_only_members_call(alice: User, bob: User, media_user: User) -> None:
    talk = alice.conversation()
    assert error_of(bob.ask("POST", f"/conversations/{talk}/call-token")) == (403, "forbidden")
    nowhere = media_user.ask("POST", f"/conversations/{NOBODY}/call-token")
    assert error_of(nowhere) == (404, "not_found")
