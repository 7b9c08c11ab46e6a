"""No token, key, signature or device token is in anything that control shows of the traffic."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.sync.client import connect

from poolse.sandbox.control_api.redaction import hidden, hidden_header
from poolse.testing import Sandbox
from tests.sandbox.control_client import Control, watching
from tests.sandbox.raw_clients import User, users_of
from tests.sandbox.upload_helpers import ask, link_of, put, uploaded

DEVICE = "device+5ecret/of?alice"


def shown(control: Control) -> str:
    """Everything that is shown, in one text."""
    entries = control.get("/_sandbox/traffic")["data"]
    texts = [
        json.dumps(entries, ensure_ascii=False),
        control.http.get("/_sandbox/traffic.har").text,
    ]
    texts += [control.http.get(f"/_sandbox/traffic/{entry['id']}").text for entry in entries]
    with watching(control) as stream:
        texts += [json.dumps(next(stream).entry, ensure_ascii=False) for _ in entries]
    return "\n".join(texts)


def every_endpoint(sandbox: Sandbox, alice: User, wire: httpx.Client) -> Iterator[str]:
    """Use everything that has secrets; yield them."""
    backend = {"authorization": f"Bearer {sandbox.api_key}"}
    yield from (sandbox.api_key, alice.token)
    made = httpx.post(
        f"{sandbox.url}/v1/users",
        json={"external_id": "carol"},
        headers=backend,
        trust_env=False,
    ).json()
    url = f"{sandbox.url}/v1/users/{made['id']}/tokens"
    yield httpx.post(url, headers=backend, trust_env=False).json()["token"]
    device = {"token": DEVICE, "platform": "android"}
    assert alice.http.post("/v1/devices", json=device).status_code == 201
    alice.http.delete(f"/v1/devices/{quote(DEVICE, safe='')}")
    yield from (DEVICE, quote(DEVICE, safe=""))
    asked = ask(alice, 4)
    put(wire, asked, b"data")
    link = link_of(alice, uploaded(alice, wire, b"more"))
    wire.get(link)
    for signed in (asked["upload"]["url"], link):
        yield parse_qs(urlsplit(signed).query)["signature"][0]
    talk = alice.conversation()
    yield alice.http.post(f"/v1/conversations/{talk}/call-token", json={}).json()["token"]
    alice.send(talk, body=f"my token is {alice.token}, my key {sandbox.api_key}, see {link}")
    alice.phone().join(f"conversation:{talk}")
    # As a header, as a query, in a body that is no JSON, and as a subprotocol.
    alice.http.get(f"/v1/me?token={alice.token}&api_key=5ecret-of-query")
    yield "5ecret-of-query"
    alice.http.get("/v1/me", headers={"cookie": "a=5ecret-cookie", "referer": link})
    yield "5ecret-cookie"
    alice.http.post("/v1/conversations", content=f'{{"token": "5ecret-half, {alice.token}')
    yield "5ecret-half"
    encoded = base64.urlsafe_b64encode(alice.token.encode()).decode().rstrip("=")
    with (
        pytest.raises(Exception, match="40"),
        connect(
            f"{sandbox.ws_url}/socket/websocket?vsn=2.0.0&token=5ecret-of-socket",
            subprotocols=["phoenix", f"base64url.bearer.phx.{encoded}"],  # type: ignore[list-item]
        ),
    ):
        pass
    yield from (encoded, "5ecret-of-socket")


def test_no_secret_is_shown(wire: httpx.Client) -> None:
    key = "a-key.without_a-form"
    options: dict[str, Any] = {"api_key": key, "livekit_url": "wss://livekit.example"}
    with Sandbox(**options) as sandbox, users_of(sandbox) as new_user:
        alice = new_user("alice")
        secrets = list(every_endpoint(sandbox, alice, wire))
        other = sandbox.add_tenant().api_key
        alice.http.get("/v1/me", headers={"x-other": other})
        with httpx.Client(base_url=sandbox.url, trust_env=False) as http:
            text = shown(Control(http))
    for secret in (*secrets, other):
        assert len(secret) > 8
        assert secret not in text, secret
        assert json.dumps(secret)[1:-1] not in text, secret
    assert "5ecret" not in text
    assert not re.search(r"eyJ[\w-]{5}", text)
    # What is no secret stays.
    for kept in ("/v1/devices/…", "Bearer …", "signature=…", "my token is …, my key …", "carol"):
        assert kept in text, kept


@given(
    st.sampled_from(["token", "api_key", "signature", "credential", "password"]),
    st.text(min_size=3).map(lambda text: f"{text}#5ecret"),
    st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " :\n")]),
    st.integers(0, 40),
)
def test_fields_of_json(name: str, secret: str, separators: tuple[str, str], cut: int) -> None:
    value: Any = {"a": [{"b": 1, name: secret, "c": "kept"}]}
    for ascii_only in (True, False):
        text = json.dumps(value, separators=separators, ensure_ascii=ascii_only)
        assert json.loads(hidden(text)) == {"a": [{"b": 1, name: "…", "c": "kept"}]}
        start = text.index("#5ecret") + 7 - (cut % 7)
        assert "#" not in hidden(text[:start])


@given(st.text("abc/+=-_.%20ü", min_size=3))
def test_headers(secret: str) -> None:
    assert hidden_header("Authorization", f"Bearer {secret}") == "Bearer …"
    assert hidden_header("authorization", secret) == "…"
    assert hidden_header("Cookie", f"a={secret}") == "…"
    assert hidden_header("x-key", secret, [secret]) == "…"
    assert hidden_header("accept", "*/*") == "*/*"
