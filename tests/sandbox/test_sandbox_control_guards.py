"""Control and its page are open to programs on this machine, and to the page itself."""

from __future__ import annotations

import socket

import httpx
import pytest

from poolse.testing import Sandbox
from tests.sandbox.control_client import Control, control_of

EVIL = "http://evil.example"
PATHS = (
    "/",
    "/_sandbox/page/index.html",
    "/_sandbox/health",
    "/_sandbox/environment",
    "/_sandbox/traffic",
    "/_sandbox/traffic/events",
    "/_sandbox/openapi.json",
    "/_sandbox/nothing",
)


def refusal(answer: httpx.Response) -> str:
    """What the envelope of a 403 says."""
    assert answer.status_code == 403, answer.text
    error = answer.json()["error"]
    assert error["code"] == "forbidden"
    # No page of the other origin may read even that.
    assert "access-control-allow-origin" not in answer.headers
    return str(error["message"])


def own_address() -> str:
    """An address of this machine that is not a loopback address; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return ""
        return str(probe.getsockname()[0])


@pytest.mark.parametrize("path", PATHS)
def test_a_page_of_another_origin_is_refused(control: Control, path: str) -> None:
    for origin in (EVIL, "null", "http://localhost:1", control.http.base_url.host):
        assert "other origins" in refusal(control.http.get(path, headers={"origin": origin}))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "", "[::2]"]
)
def test_a_name_that_was_bound_to_this_machine_is_refused(
    control: Control, path: str, host: str
) -> None:
    """DNS rebinding: the browser says `evil.example`, and connects to 127.0.0.1."""
    # Its page has its own origin then.
    for headers in ({"host": host}, {"host": host, "origin": f"http://{host}"}):
        message = refusal(control.http.get(path, headers=headers))
        assert "is not a name of the sandbox" in message
        assert "--control-host" in message


def test_names_of_this_machine(sandbox: Sandbox, control: Control) -> None:
    port = sandbox.url.rpartition(":")[2]
    for name in ("localhost", "LOCALHOST", "127.0.0.1", "[::1]"):
        for host in (name, f"{name}:{port}", f"{name}:1"):
            for headers in ({"host": host}, {"host": host, "origin": f"http://{host}"}):
                answer = control.http.get("/_sandbox/health", headers=headers)
                assert answer.status_code == 200, host


def test_methods_that_change_something_are_guarded(sandbox: Sandbox, control: Control) -> None:
    sandbox.faults.latency(0.0)
    key = sandbox.api_key
    for method, path in (("POST", "/_sandbox/reset"), ("DELETE", "/_sandbox/faults")):
        refusal(control.http.request(method, path, headers={"origin": EVIL}))
    assert len(control.get("/_sandbox/faults")["data"]) == 1
    assert sandbox.api_key == key


def test_a_preflight_is_refused(control: Control) -> None:
    asked = {"origin": EVIL, "access-control-request-method": "POST"}
    refusal(control.http.options("/_sandbox/users", headers=asked))


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"]
)
def test_a_body_is_json_only(sandbox: Sandbox, control: Control, content_type: str) -> None:
    headers = {"content-type": content_type}
    for path in ("/_sandbox/users", "/_sandbox/seed", "/_sandbox/faults", "/_sandbox/reset"):
        answer = control.http.post(path, content='{"external_id": "eve"}', headers=headers)
        assert answer.status_code == 415
        assert answer.json()["error"]["code"] == "unsupported_media_type"
    assert control.get("/_sandbox/users")["data"] == []


def test_what_is_not_json_or_no_object(control: Control) -> None:
    headers = {"content-type": "application/json; charset=utf-8"}
    for content, status in (("{", 400), ("[]", 422), ("NaN", 400), (b"\xff", 400), ("", 422)):
        answer = control.ask("POST", "/_sandbox/users", content=content, headers=headers)
        assert answer.status_code == status
    huge = b'{"external_id": "' + b"x" * 8_000_000 + b'"}'
    assert control.ask("POST", "/_sandbox/users", content=huge, headers=headers).status_code == 400


@pytest.fixture
def elsewhere() -> str:
    address = own_address()
    if not address or address.startswith("127."):
        pytest.skip("this machine has no other address than that of the loopback interface")
    return address


def test_another_machine_is_refused(elsewhere: str) -> None:
    with Sandbox(host="0.0.0.0") as sandbox:
        url = f"http://{elsewhere}:{sandbox.url.rpartition(':')[2]}"
        with httpx.Client(base_url=url, trust_env=False) as http:
            for path in PATHS:
                for host in ("localhost", "127.0.0.1", "0.0.0.0", elsewhere):
                    message = refusal(http.get(path, headers={"host": host}))
                    assert "--control-host" in message
            # The API itself is open.
            assert http.get("/v1/me").status_code == 401


def test_other_machines_may_use_names_that_are_given(elsewhere: str) -> None:
    with Sandbox(host="0.0.0.0", control_hosts=["Chat.local"]) as sandbox:
        url = f"http://{elsewhere}:{sandbox.url.rpartition(':')[2]}"
        with httpx.Client(base_url=url, trust_env=False) as http:
            for host in ("chat.local", "chat.local:80", "CHAT.LOCAL"):
                assert http.get("/", headers={"host": host}).status_code == 200
                answer = http.get("/_sandbox/environment", headers={"host": host})
                assert answer.json()["api_url"] == f"http://{host}"
            own = {"host": "chat.local", "origin": "http://chat.local"}
            assert http.get("/_sandbox/health", headers=own).status_code == 200
            refusal(http.get("/_sandbox/health", headers={**own, "origin": EVIL}))
            refusal(http.get("/_sandbox/health", headers={"host": "localhost"}))
        with control_of(sandbox) as control:
            assert control.get("/_sandbox/health")["status"] == "ok"


def test_the_hosts_are_a_list() -> None:
    with pytest.raises(ValueError, match="must be a list of names"):
        Sandbox(control_hosts="localhost")


def test_the_page_is_confined(sandbox: Sandbox, control: Control) -> None:
    address = sandbox.url.removeprefix("http://")
    for path in ("/", "/_sandbox/page/index.html"):
        answer = control.http.get(path)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        policy = answer.headers["content-security-policy"].split("; ")
        assert "default-src 'self'" in policy
        assert f"connect-src 'self' ws://{address} wss://{address}" in policy
        assert "frame-ancestors 'none'" in policy
        assert not [one for one in policy if "unsafe" in one or "*" in one]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
    assert control.http.head("/").status_code == 200


def test_other_files_of_the_package_are_not_served(control: Control) -> None:
    for name in ("..%2foptions.py", "%2e%2e%2foptions.py", "..", ".", "x", "index.html%00", "%2f"):
        answer = control.http.get(f"/_sandbox/page/{name}")
        assert answer.status_code == 404, name
    assert control.http.post("/").status_code == 405


def test_it_is_beside_the_api(sandbox: Sandbox, control: Control) -> None:
    """No fault, no request log, no CORS, not even for preflights of its own origin."""
    sandbox.faults.fail(503, times=None)
    sandbox.faults.latency(60)
    for path in PATHS[:-3]:
        assert control.http.get(path).status_code == 200
    assert sandbox.requests == []
    answer = control.http.get("/_sandbox/health", headers={"origin": sandbox.url})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


def test_over_tls(tls_sandbox: Sandbox) -> None:
    context = tls_sandbox.ssl_context()
    with control_of(tls_sandbox, verify=context) as control:
        environment = control.get("/_sandbox/environment")
        assert environment | {"swagger": None} == {
            "swagger": None,
            "api_url": tls_sandbox.url,
            "ws_url": tls_sandbox.ws_url,
            "api_key": tls_sandbox.api_key,
            "ca_file": str(tls_sandbox.ca_file),
        }
        own = {"origin": tls_sandbox.url}
        assert control.http.get("/", headers=own).status_code == 200
        refusal(control.http.get("/", headers={"origin": EVIL}))
        assert control.ask("POST", "/_sandbox/reset").status_code == 204
        assert control.get("/_sandbox/health")["users"] == 0
