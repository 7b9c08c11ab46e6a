"""What a page of another origin may do, and that preflights are none of the sandbox's requests."""

from __future__ import annotations

import httpx
import pytest

from poolse.testing import Sandbox
from tests.sandbox.raw_clients import User, users_of
from tests.sandbox.upload_helpers import ask, link_of, put, uploaded, xml_error_of

ORIGIN = {"origin": "http://localhost:5173"}
PATHS = ("/v1/me", "/v1/conversations/x/messages", "/storage/x/y", "/nowhere")
METHODS = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"]
SENT = {"authorization", "content-type", "idempotency-key", "range", "if-range"}
READ = {"retry-after", "etag", "content-range", "accept-ranges", "x-request-id"}


def names(answer: httpx.Response, header: str) -> set[str]:
    """The names in a header, in lower case."""
    return {name.strip().lower() for name in answer.headers.get(header, "").split(",")}


def preflight(wire: httpx.Client, url: str, method: str, sent: set[str]) -> httpx.Response:
    headers = {
        **ORIGIN,
        "access-control-request-method": method,
        "access-control-request-headers": ",".join(sorted(sent)),
    }
    return wire.options(url, headers=headers)


def assert_readable(answer: httpx.Response) -> None:
    """A page may read the response, and the headers that are meant for clients."""
    assert answer.headers.get_list("access-control-allow-origin") == ["*"]
    assert names(answer, "access-control-expose-headers") == READ


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", METHODS)
def test_a_preflight(sandbox: Sandbox, wire: httpx.Client, path: str, method: str) -> None:
    answer = preflight(wire, sandbox.url + path, method, SENT)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"].split(", ") == METHODS
    assert names(answer, "access-control-allow-headers") >= SENT
    assert int(answer.headers["access-control-max-age"]) > 0
    assert "origin" in names(answer, "vary")


def test_a_preflight_meets_no_fault_and_is_not_in_the_request_log(
    sandbox: Sandbox, wire: httpx.Client
) -> None:
    sandbox.faults.fail(503)
    sandbox.faults.limit_rate(0, 60)
    sandbox.faults.hang(times=None)
    sandbox.faults.latency(60)
    sandbox.faults.drop(times=None)
    for path in PATHS:
        assert preflight(wire, sandbox.url + path, "POST", SENT).status_code == 200
    assert sandbox.requests == []
    sandbox.faults.clear()
    sandbox.faults.fail(503)
    preflight(wire, f"{sandbox.url}/v1/me", "GET", SENT)
    assert wire.get(f"{sandbox.url}/v1/me", headers=ORIGIN).status_code == 503


def test_what_is_not_allowed_is_refused(sandbox: Sandbox, wire: httpx.Client) -> None:
    url = f"{sandbox.url}/v1/me"
    assert preflight(wire, url, "TRACE", SENT).status_code == 400
    assert preflight(wire, url, "GET", {"x-unheard-of"}).status_code == 400


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("status", "method", "path", "headers", "content"),
    [
        (200, "GET", "/v1/me", {}, ""),
        (201, "POST", "/v1/conversations", JSON, '{"type": "group"}'),
        (400, "POST", "/v1/conversations", JSON, "{"),
        (401, "GET", "/v1/me", {"authorization": "Bearer x"}, ""),
        (403, "GET", "/storage/x/y", {}, ""),
        (404, "GET", "/nowhere", {}, ""),
        (405, "OPTIONS", "/v1/me", {}, ""),
        (415, "POST", "/v1/conversations", {}, "{}"),
        (422, "POST", "/v1/conversations", JSON, "{}"),
    ],
)
def test_every_answer_is_for_every_origin(
    alice: User, status: int, method: str, path: str, headers: dict[str, str], content: str
) -> None:
    headers = {**ORIGIN, **headers}
    if path.startswith("/storage"):
        del alice.http.headers["authorization"]
    answer = alice.http.request(method, path, headers=headers, content=content)
    assert answer.status_code == status
    assert_readable(answer)


@pytest.mark.parametrize("path", ["/v1/me", "/storage/x/y"])
@pytest.mark.parametrize("status", [401, 404, 418, 429, 500, 503])
def test_faults_may_be_read(sandbox: Sandbox, wire: httpx.Client, path: str, status: int) -> None:
    sandbox.faults.fail(status, retry_after=7)
    answer = wire.get(sandbox.url + path, headers=ORIGIN)
    assert (answer.status_code, answer.headers["retry-after"]) == (status, "7")
    assert_readable(answer)


def test_other_faults_may_be_read(sandbox: Sandbox, alice: User, wire: httpx.Client) -> None:
    faults = sandbox.faults
    link = link_of(alice, uploaded(alice, wire, b"data"))
    faults.limit_rate(0, 60, path="/v1/me")
    assert_readable(wire.get(f"{sandbox.url}/v1/me", headers=ORIGIN))
    faults.expire_urls()
    assert_readable(wire.get(link, headers=ORIGIN))
    faults.drip(0.001)
    faults.latency(0.01)
    assert_readable(wire.get(link, headers=ORIGIN))


def test_a_bug_may_be_read(sandbox: Sandbox, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("poolse.sandbox.store.users.Users.user", broken)
    answer = alice.http.get("/v1/me", headers=ORIGIN)
    assert answer.status_code == 500
    assert_readable(answer)


def test_a_bug_of_the_storage_may_be_read(
    alice: User, wire: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    link = link_of(alice, uploaded(alice, wire, b"data"))
    monkeypatch.setattr("poolse.sandbox.store.attachments.Attachments.attachment", broken)
    answer = wire.get(link, headers=ORIGIN)
    assert xml_error_of(answer) == (500, "InternalError")
    assert_readable(answer)


def test_files(alice: User, wire: httpx.Client) -> None:
    wire.headers.update(ORIGIN)
    asked = ask(alice, 4)
    stored = put(wire, asked, b"data")
    assert stored.status_code == 200
    assert_readable(stored)
    link = link_of(alice, asked["attachment"]["id"])
    parts = {"range": "bytes=1-2", "if-range": stored.headers["etag"]}
    for answer, status in (
        (wire.get(link), 200),
        (wire.head(link), 200),
        (wire.get(link, headers=parts), 206),
        (wire.get(link, headers={"range": "bytes=9-"}), 416),
        (wire.get(link + "0"), 403),
        (wire.post(link), 405),
    ):
        assert answer.status_code == status
        assert_readable(answer)


def test_over_tls() -> None:
    with Sandbox(tls=True) as sandbox, users_of(sandbox, tls=True) as new_user:
        alice = new_user("alice")
        answer = preflight(alice.http, f"{sandbox.url}/v1/me", "GET", SENT)
        assert answer.status_code == 200
        assert_readable(alice.http.get("/v1/me", headers=ORIGIN))


def test_origins_can_be_chosen() -> None:
    other = "http://localhost:8080"
    with (
        Sandbox(cors_origins=[ORIGIN["origin"], "http://localhost:3000"]) as sandbox,
        httpx.Client(trust_env=False) as wire,
    ):
        url = f"{sandbox.url}/v1/me"
        answer = preflight(wire, url, "GET", SENT)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == ORIGIN["origin"]
        shown = wire.get(url, headers=ORIGIN).headers
        assert shown["access-control-allow-origin"] == ORIGIN["origin"]
        assert "origin" in shown["vary"].lower()
        assert "access-control-allow-origin" not in wire.get(url, headers={"origin": other}).headers
        asked = {"origin": other, "access-control-request-method": "GET"}
        assert wire.options(url, headers=asked).status_code == 400
    with pytest.raises(ValueError, match="must be a list of origins"):
        Sandbox(cors_origins="http://localhost:3000")


def test_a_handshake_needs_none(sandbox: Sandbox, alice: User) -> None:
    alice.phone()
    assert [handshake.status for handshake in sandbox.handshakes] == [101]
