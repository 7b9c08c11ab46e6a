"""The traffic of the API: what is recorded, watched, bounded and exported."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import httpx
import pytest

from poolse.sandbox.control_api.traffic import Entry, Part, Traffic
from poolse.sandbox.request_log import Request, RequestLog
from poolse.testing import Sandbox
from tests.sandbox.control_client import Control, control_of, of_kind, watching
from tests.sandbox.raw_clients import NewUser, User
from tests.sandbox.upload_helpers import ask, put

SOCKET = "/socket/websocket?token=…&vsn=2.0.0"


def traffic(control: Control, query: str = "") -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = control.get(f"/_sandbox/traffic{query}")["data"]
    return data


def details(control: Control, entry: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = control.get(f"/_sandbox/traffic/{entry['id']}")
    assert {name: shown[name] for name in entry} == entry
    return shown


def test_requests(control: Control, alice: User) -> None:
    alice.http.post("/v1/conversations?a=1", json={"type": "group", "name": "Tëam"})
    alice.http.get("/v1/nothing")
    httpx.get(f"{control.http.base_url}/v1/me", trust_env=False)
    created, nothing, stranger = traffic(control)
    assert created["kind"] == "request"
    assert (created["method"], created["path"]) == ("POST", "/v1/conversations?a=1")
    assert (created["user"], created["status"], created["cut"]) == ("alice", 201, False)
    assert created["ms"] > 0
    assert abs(time.time() - _seconds(created["at"])) < 60
    assert (nothing["user"], nothing["status"]) == ("alice", 404)
    assert (stranger["user"], stranger["status"]) == (None, 401)
    assert [entry["id"] for entry in traffic(control)] == [1, 2, 3]
    shown = details(control, created)
    assert shown["request_body"].replace(" ", "") == '{"type":"group","name":"Tëam"}'
    assert shown["request_headers"]["content-type"] == "application/json"
    assert shown["response_headers"]["content-type"] == "application/json"
    assert shown["response_body"].startswith('{"id":"')
    assert len(shown["response_body"].encode()) == created["size"]
    assert shown["truncated"] is False


def _seconds(timestamp: str) -> float:
    return datetime.fromisoformat(timestamp).timestamp()


def test_the_user_of_an_expired_token_is_known(sandbox: Sandbox, control: Control) -> None:
    for token, user in ((sandbox.token("alice", lifetime=-1), "alice"), ("eyJ.x.y", None)):
        headers = {"authorization": f"Bearer {token}"}
        httpx.get(f"{sandbox.url}/v1/me", headers=headers, trust_env=False)
        entry = traffic(control)[-1]
        assert (entry["user"], entry["status"]) == (user, 401)


def test_sockets_and_frames(control: Control, alice: User) -> None:
    talk = alice.conversation()
    topic = f"conversation:{talk}"
    phone = alice.phone()
    phone.join(topic)
    phone.heartbeat("7")
    alice.send(talk, body="Hello")
    phone.hear()
    entries = traffic(control)
    (handshake,) = of_kind(entries, "handshake")
    assert (handshake["method"], handshake["path"]) == ("GET", SOCKET)
    assert (handshake["user"], handshake["status"], handshake["socket"]) == ("alice", 101, 1)
    received, sent = of_kind(entries, "received"), of_kind(entries, "sent")
    assert [(one["topic"], one["event"]) for one in received] == [
        (topic, "phx_join"),
        ("phoenix", "heartbeat"),
    ]
    events = ["phx_reply", "presence_diff", "presence_state", "phx_reply", "message:new"]
    assert [one["event"] for one in sent] == events
    for one in (*received, *sent):
        assert (one["user"], one["socket"], one["path"], one["status"]) == ("alice", 1, None, None)
        assert one["size"] > 0
    assert details(control, received[0])["payload"] == {}
    message = details(control, sent[-1])
    assert message["payload"]["body"] == "Hello"
    assert (message["join_ref"], message["ref"]) == (None, None)
    assert details(control, sent[0])["ref"] == "1"
    assert details(control, handshake)["request_headers"]["upgrade"] == "websocket"


def test_what_is_no_frame(control: Control, alice: User) -> None:
    phone = alice.phone()
    phone.wire.send(b"\x00\x01\x01\x05\x0511phoenhello\xff\xfe")
    phone.wire.send('[null, null, "t", "e", {"a": "' + "x" * 40_000 + '"}]')
    phone.wire.send('{"no": "frame"}')
    phone.close_code()
    binary, long, malformed = of_kind(traffic(control), "received")
    assert (binary["topic"], binary["event"]) == ("phoen", "hello")
    assert details(control, binary)["payload"] is None
    assert (long["topic"], long["event"]) == ("t", "e")
    assert long["size"] > 40_000
    shown = details(control, long)
    assert shown["truncated"] is True
    assert 16_000 < len(shown["payload"]) <= 16_384
    assert (malformed["topic"], malformed["event"]) == (None, None)
    assert details(control, malformed)["payload"] == '{"no": "frame"}'


def test_refused_handshakes(sandbox: Sandbox, control: Control, alice: User) -> None:
    sandbox.faults.refuse_handshakes(503)
    with pytest.raises(Exception, match="503"):
        alice.phone()
    (handshake,) = traffic(control)
    assert (handshake["status"], handshake["kind"]) == (503, "handshake")


def test_what_was_cut(sandbox: Sandbox, control: Control, alice: User) -> None:
    sandbox.faults.drop()
    with pytest.raises(httpx.TransportError):
        alice.http.get("/v1/me")
    sandbox.faults.cut_downloads(5, path="/v1/*")
    with pytest.raises(httpx.TransportError):
        alice.http.get("/v1/me")
    sandbox.faults.latency(0.05)
    alice.http.get("/v1/me")
    dropped, cut, late = traffic(control)
    assert (dropped["status"], dropped["cut"]) == (None, True)
    assert (cut["status"], cut["cut"], cut["size"]) == (200, True, 5)
    assert late["ms"] >= 50


def test_bodies_are_truncated_and_binary_ones_left_out(
    control: Control, alice: User, wire: httpx.Client
) -> None:
    talk = alice.conversation()
    alice.send(talk, body="ü" * 20_000)
    asked = ask(alice, 60_000)
    put(wire, asked, b"\x89PNG" + b"\0" * 59_996)
    long = details(control, next(one for one in traffic(control) if "messages" in one["path"]))
    assert long["truncated"] is True
    assert long["request_body"].endswith("ü")
    assert len(long["request_body"].encode()) in {16_383, 16_384}
    upload = details(control, traffic(control)[-1])
    assert (upload["method"], upload["request_body"], upload["truncated"]) == ("PUT", None, True)


def test_pages_of_the_list(control: Control, alice: User) -> None:
    for _ in range(5):
        alice.http.get("/v1/me")
    ids = [
        [entry["id"] for entry in traffic(control, query)]
        for query in ("?limit=2", "?after=0&limit=2", "?after=3", "?after=9", "?limit=0")
    ]
    assert ids == [[4, 5], [1, 2], [4, 5], [], []]
    assert "limit" in control.complaints("GET", "/_sandbox/traffic?limit=x", {})
    assert control.ask("DELETE", "/_sandbox/traffic").status_code == 204
    assert traffic(control) == []
    alice.http.get("/v1/me")
    assert [entry["id"] for entry in traffic(control)] == [6]
    for number in ("1", "7", "x", "-1"):
        assert control.ask("GET", f"/_sandbox/traffic/{number}").status_code == 404


def test_watching(control: Control, alice: User, sandbox: Sandbox) -> None:
    alice.http.get("/v1/me")
    with watching(control) as stream:
        assert next(stream).id == 1
        sandbox.faults.latency(0.05, times=1)
        alice.http.get("/v1/me")
        first, second = next(stream), next(stream)
        assert (first.id, first.entry["status"]) == (2, None)
        assert (second.id, second.entry["status"]) == (2, 200)
        alice.http.get("/v1/nothing")
        last = next(stream)
        while last.entry["status"] is None:
            last = next(stream)
        assert (last.id, last.entry["path"]) == (3, "/v1/nothing")
    # It resumes from the last one, which may have been written again meanwhile.
    with watching(control, last=3) as stream:
        alice.http.get("/v1/me")
        assert next(stream).id in {3, 4}
    # A number of an earlier run.
    with watching(control, last=1_000_000) as stream:
        assert next(stream).id == 1
    with watching(control, path="?after=3") as stream:
        assert next(stream).id in {3, 4}


def test_what_was_written_while_nobody_watched_is_sent_again(
    sandbox: Sandbox, control: Control, new_user: NewUser
) -> None:
    slow, fast = new_user("slow"), new_user("fast")
    sandbox.faults.hang(times=1)
    with watching(control) as stream, ThreadPoolExecutor(1) as pool:
        pending = pool.submit(slow.http.get, "/v1/me")
        assert next(stream).entry["status"] is None
        fast.http.get("/v1/me")
        while (last := next(stream)).entry["status"] is None:
            pass
        sandbox.faults.release()
        assert pending.result().status_code == 200
    with watching(control, last=last.id) as stream:
        fast.http.get("/v1/me")
        again: list[tuple[int, int | None]] = []
        while (one := next(stream)).id <= last.id:
            again.append((one.id, one.entry["status"]))
    assert (1, 200) in again


def test_a_reader_that_is_too_slow_is_cut_off(
    sandbox: Sandbox, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poolse.sandbox.control_api.event_stream._MOST_PENDING", 50)
    with control_of(sandbox) as control, watching(control) as stream:
        alice.http.get("/v1/me")
        next(stream)
        # Nobody reads on; nothing of it is held without a bound.
        for _ in range(300):
            alice.http.get("/v1/nothing?" + "x" * 60_000)
            if _is_cut(sandbox):
                break
        with pytest.raises(httpx.TransportError):
            list(stream)
    assert alice.http.get("/v1/me").status_code == 200


def _readers(sandbox: Sandbox) -> set[Any]:
    readers: set[Any] = sandbox._traffic.readers  # pyright: ignore[reportPrivateUsage]
    return readers


def _is_cut(sandbox: Sandbox) -> bool:
    """Whether nobody watches any more."""
    return not _readers(sandbox)  # pyright: ignore[reportPrivateUsage]


def test_a_watcher_does_not_hold_up_the_end() -> None:
    with Sandbox() as sandbox, control_of(sandbox) as control, watching(control):
        start = time.monotonic()
        sandbox.reset()
        sandbox.stop()
        assert time.monotonic() - start < 3


def test_a_watcher_that_goes_away_is_forgotten(sandbox: Sandbox, control: Control) -> None:
    with control_of(sandbox) as other, watching(other):
        assert len(_readers(sandbox)) == 1
    deadline = time.monotonic() + 5
    while not _is_cut(sandbox) and time.monotonic() < deadline:
        control.get("/_sandbox/health")
    assert _is_cut(sandbox)


def test_har(sandbox: Sandbox, control: Control, alice: User) -> None:
    talk = alice.conversation()
    phone = alice.phone()
    phone.join(f"conversation:{talk}")
    phone.wire.send(b"\x00\x00\x00\x00\x00")
    alice.send(talk, body="Hello")
    sandbox.faults.drop()
    with pytest.raises(httpx.TransportError):
        alice.http.get("/v1/conversations?a=b%20c&signature=0123")
    answer = control.ask("GET", "/_sandbox/traffic.har")
    assert "sandbox.har" in answer.headers["content-disposition"]
    log = answer.json()["log"]
    assert (log["version"], log["creator"]["name"]) == ("1.2", "poolse sandbox")
    created, handshake, sent, cut = log["entries"]
    for entry in log["entries"]:
        assert entry.keys() >= {"startedDateTime", "time", "request", "response", "cache"}
        assert entry["timings"].keys() == {"send", "wait", "receive"}
        for side in ("request", "response"):
            assert entry[side].keys() >= {"httpVersion", "cookies", "headers", "headersSize"}
    assert created["request"]["url"] == f"{sandbox.url}/v1/conversations"
    assert created["request"]["postData"]["mimeType"] == "application/json"
    assert created["response"]["content"]["text"].startswith('{"id":')
    assert (created["response"]["status"], created["response"]["statusText"]) == (201, "Created")
    assert sent["request"]["postData"]["text"].replace(" ", "") == '{"body":"Hello"}'
    assert cut["response"]["status"] == 0
    assert cut["request"]["queryString"] == [
        {"name": "a", "value": "b c"},
        {"name": "signature", "value": "…"},
    ]
    assert handshake["_resourceType"] == "websocket"
    assert handshake["request"]["url"].startswith(f"{sandbox.ws_url}/socket/websocket?")
    frames = handshake["_webSocketMessages"]
    assert [frame["type"] for frame in frames][:2] == ["send", "receive"]
    assert [frame["opcode"] for frame in frames].count(2) == 1
    assert "phx_join" in frames[0]["data"]
    control.ask("DELETE", "/_sandbox/traffic")
    phone.heartbeat("1")
    assert control.get("/_sandbox/traffic.har")["log"]["entries"] == []


def test_memory_is_bounded() -> None:
    traffic = Traffic(entries=100, total_bytes=1_000_000)
    for number in range(1000):
        traffic.add(Entry("sent", frame=Part("x" * (number % 3))))
    assert [entry.id for entry in traffic.entries()] == list(range(901, 1001))
    for _ in range(1000):
        traffic.add(Entry("sent", frame=Part(b"x" * 50_000)))
    assert 50 <= len(traffic.entries()) <= 61
    # What grows while it is served counts, too.
    entries = [Entry("request", request_body=Part()) for _ in range(100)]
    for entry in entries:
        traffic.add(entry)
    for entry in entries:
        entry.request_body.add(b"x" * 16_384)
        traffic.update(entry)
    assert len(traffic.entries()) <= 61
    assert traffic.get(entries[-1].id) is entries[-1]
    assert traffic.get(entries[0].id) is None
    traffic.clear()
    traffic.update(entries[-1])
    assert traffic.entries() == []


def test_the_request_log_is_bounded() -> None:
    log = RequestLog()
    for number in range(100):
        log.request(Request("POST", f"/{number}", {}, body=b"x" * 1_000_000))
    assert 5 <= len(log.requests) <= 8
    assert log.requests[-1].path == "/99"
    log.request(Request("POST", "/huge", {}, body=b"x" * 9_000_000))
    assert [request.path for request in log.requests] == ["/huge"]
