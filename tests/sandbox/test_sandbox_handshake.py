"""The WebSocket handshake, heartbeats, and the ends of connections."""

from __future__ import annotations

import http.client
import json

import pytest
import websocket
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from poolse.testing import Sandbox
from tests.sandbox.raw_clients import User, error_of, users_of


def status_of_refusal(url: str) -> int:
    with pytest.raises(InvalidStatus) as refused, connect(url, compression=None):
        pass
    if refused.value.response.status_code == 403:
        assert not refused.value.response.body
    return refused.value.response.status_code


@pytest.mark.parametrize("token", ["", "token=", "token=garbage"])
def test_no_token_and_garbage_are_403(sandbox: Sandbox, token: str) -> None:
    url = f"{sandbox.ws_url}/socket/websocket?vsn=2.0.0&{token}"
    assert status_of_refusal(url) == 403
    assert [(h.method, h.status) for h in sandbox.handshakes] == [("GET", 403)]


def test_an_expired_token_is_403(sandbox: Sandbox) -> None:
    token = sandbox.token("alice", lifetime=-1.0)
    assert status_of_refusal(f"{sandbox.ws_url}/socket/websocket?vsn=2.0.0&token={token}") == 403


@pytest.mark.parametrize("vsn", ["&vsn=3.0.0", "&vsn=2", "&vsn=2.1.0", "&vsn=1.0.0", ""])
def test_another_serializer_is_403(sandbox: Sandbox, vsn: str) -> None:
    url = f"{sandbox.ws_url}/socket/websocket?token={sandbox.token('alice')}{vsn}"
    assert status_of_refusal(url) == 403


@pytest.mark.parametrize("path", ["/socket", "/socket/", "/", "/socket/websocket/x", "/v1/me"])
def test_another_path_is_404(sandbox: Sandbox, path: str) -> None:
    url = f"{sandbox.ws_url}{path}?token={sandbox.token('alice')}&vsn=2.0.0"
    assert status_of_refusal(url) == 404


def test_without_upgrade_it_is_400(alice: User) -> None:
    query = {"token": alice.token, "vsn": "2.0.0"}
    assert error_of(alice.http.get("/socket/websocket", params=query)) == (400, "bad_request")


def test_no_extension_and_no_subprotocol_is_agreed_on(sandbox: Sandbox) -> None:
    url = f"{sandbox.ws_url}/socket/websocket?token={sandbox.token('alice')}&vsn=2.0.0"
    with connect(url) as wire:
        assert wire.response is not None
        assert "sec-websocket-extensions" not in wire.response.headers
        assert wire.subprotocol is None
        assert sandbox.handshakes[0].path == url.removeprefix(sandbox.ws_url)
        assert sandbox.handshakes[0].status == 101


def test_the_heartbeat_verbatim(alice: User) -> None:
    phone = alice.phone()
    phone.wire.send('[null,"1","phoenix","heartbeat",{}]')
    reply = '[null,"1","phoenix","phx_reply",{"response":{},"status":"ok"}]'
    assert phone.hear_text() == reply


@pytest.mark.parametrize("ref", [7, "x", None, [1, {"a": None}]])
def test_a_ref_comes_back_as_it_was(alice: User, ref: object) -> None:
    phone = alice.phone()
    phone.send(None, ref, "phoenix", "heartbeat", {}, "a sixth element is ignored")
    assert phone.hear()[1] == ref


@pytest.mark.parametrize(
    "malformed",
    [
        "{",
        "{}",
        '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"1"}',
        '[null,"1","phoenix","heartbeat"]',
        '[null,"1",3,"heartbeat",{}]',
        '[null,"\\ud800","phoenix","heartbeat",{}]',
        b"\x07",
        b"",
        b"\x00\x09\x09\x09\x09short",
        b"\x00\x01\x00\x00\x00\xff",
    ],
)
def test_a_malformed_frame_closes_1011(
    sandbox: Sandbox, alice: User, bob: User, malformed: str | bytes
) -> None:
    phone, other = alice.phone(), bob.phone()
    phone.wire.send(malformed)
    assert phone.close_code() == 1011
    sandbox.wait_for(lambda: sandbox.sockets == 1)
    other.assert_quiet()


def test_a_binary_frame_is_a_push_too(alice: User) -> None:
    phone = alice.phone()
    phone.wire.send(b"\x00\x00\x01\x07\x097phoenixheartbeat")
    assert phone.hear()[:4] == [None, "7", "phoenix", "phx_reply"]


def test_silence_is_closed_1002() -> None:
    with Sandbox(idle_timeout=0.05) as sandbox, users_of(sandbox) as new_user:
        assert new_user("alice").phone().close_code() == 1002
        sandbox.wait_for(lambda: sandbox.sockets == 0)


def test_a_close_is_answered(sandbox: Sandbox, alice: User) -> None:
    phone = alice.phone()
    sandbox.wait_for(lambda: sandbox.sockets == 1)
    phone.wire.close(1000)
    assert phone.close_code() == 1000
    sandbox.wait_for(lambda: sandbox.sockets == 0)


def test_a_ping_is_answered(alice: User) -> None:
    assert alice.phone().wire.ping("are you there").wait(5)


@pytest.mark.parametrize("tls", [False, True])
def test_websocket_client_gets_along(tls: bool) -> None:
    with Sandbox(tls=tls) as sandbox, users_of(sandbox, tls=tls) as new_user:
        alice = new_user("alice")
        topic = f"conversation:{alice.conversation()}"
        url = f"{sandbox.ws_url}/socket/websocket?token={alice.token}&vsn=2.0.0"
        options = {"context": sandbox.ssl_context()} if tls else None
        wire = websocket.create_connection(url, sslopt=options, timeout=5)
        wire.send(json.dumps(["1", "1", topic, "phx_join", {}]))
        events = [json.loads(wire.recv())[3] for _ in range(3)]
        assert events == ["phx_reply", "presence_diff", "presence_state"]
        wire.close()


def test_over_tls_frames_are_the_same(tls_sandbox: Sandbox) -> None:
    with users_of(tls_sandbox, tls=True) as new_user:
        alice = new_user("alice")
        talk = alice.conversation()
        phone = alice.phone()
        phone.join(f"conversation:{talk}")
        row = alice.send(talk, body="over TLS")
        assert phone.hear() == [None, None, f"conversation:{talk}", "message:new", row]


def test_an_upgrade_without_a_key_is_400(sandbox: Sandbox) -> None:
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"))
    headers = {"connection": "upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
    connection.request("GET", "/socket/websocket", headers=headers)
    assert connection.getresponse().status == 400
    connection.close()
