"""Users who are shut out."""

from __future__ import annotations

import pytest
from websockets.exceptions import InvalidStatus

from poolse.testing import Sandbox
from tests.sandbox.raw_clients import User, error_of


def test_a_blocked_user_sees_itself_and_nothing_else(sandbox: Sandbox, alice: User) -> None:
    talk = alice.conversation()
    message_id = alice.send(talk, body="x")["id"]
    sandbox.block("alice")
    assert alice.http.get("/v1/me").json()["is_blocked"] is True
    for method, path in [
        ("GET", "/conversations"),
        ("POST", "/conversations"),
        ("GET", f"/conversations/{talk}"),
        ("POST", f"/conversations/{talk}/messages"),
        ("DELETE", f"/messages/{message_id}"),
    ]:
        assert error_of(alice.ask(method, path, type="group", body="x")) == (403, "forbidden")
    sandbox.block("alice", blocked=False)
    assert alice.page(talk)[0]["deleted_at"] is None
    assert alice.http.get("/v1/me").json()["is_blocked"] is False


def test_a_blocked_user_opens_no_socket(sandbox: Sandbox, alice: User) -> None:
    phone = alice.phone()
    sandbox.block("alice")
    with pytest.raises(InvalidStatus) as refused:
        alice.phone()
    assert refused.value.response.status_code == 403
    phone.assert_quiet()


def test_others_are_not_blocked(sandbox: Sandbox, alice: User, bob: User) -> None:
    sandbox.block("alice")
    assert bob.conversation("alice")
