"""Devices that receive push notifications."""

from __future__ import annotations

import re
from urllib.parse import quote

import httpx
import pytest

from poolse.testing import Sandbox
from tests.sandbox.raw_clients import User, complaints_of, error_of
from tests.sandbox.test_sandbox_all_routes import TIME

TOKEN = "a/b+c =%ü"


def register(user: User, token: object = TOKEN, **fields: object) -> httpx.Response:
    return user.ask("POST", "/devices", **{"token": token, "platform": "ios", **fields})


def unregister(user: User, token: str = TOKEN) -> httpx.Response:
    return user.ask("DELETE", f"/devices/{quote(token, safe='')}")


def test_a_device_is_registered_once(sandbox: Sandbox, alice: User) -> None:
    answer = register(alice)
    first = answer.json()
    assert answer.status_code == 201
    assert re.fullmatch(TIME, first["last_registered_at"])
    known = {
        "tenant_id": alice.http.get("/v1/me").json()["tenant_id"],
        "user_id": alice.id,
        "platform": "ios",
        "environment": "production",
    }
    times = {"last_registered_at", "inserted_at", "updated_at"}
    assert {name: first[name] for name in known} == known
    assert first.keys() == known.keys() | times | {"id"}
    sandbox.clock.advance(60)
    answer = register(alice, environment="sandbox")
    again = answer.json()
    assert answer.status_code == 200
    assert (again["id"], again["inserted_at"]) == (first["id"], first["inserted_at"])
    assert again["last_registered_at"] > first["last_registered_at"]
    assert again["environment"] == "sandbox"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"token": None}, "token"),
        ({"token": " "}, "token"),
        ({"platform": "windows"}, "platform"),
        ({"environment": "test"}, "environment"),
    ],
)
def test_bad_fields_are_named(alice: User, fields: dict[str, object], wrong: str) -> None:
    assert complaints_of(register(alice, **fields)) == {wrong}


def test_a_device_is_unregistered_by_its_token(alice: User) -> None:
    register(alice)
    register(alice, "other")
    answer = unregister(alice)
    assert (answer.status_code, answer.content) == (204, b"")
    assert error_of(unregister(alice)) == (404, "not_found")
    assert unregister(alice, "other").status_code == 204


def test_a_device_belongs_to_its_latest_user(alice: User, bob: User) -> None:
    register(alice)
    taken = register(bob)
    assert (taken.status_code, taken.json()["user_id"]) == (200, bob.id)
    assert error_of(unregister(alice)) == (404, "not_found")
    assert unregister(bob).status_code == 204
