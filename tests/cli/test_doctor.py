"""`poolse whoami` and `poolse doctor`: who one is, and what stands in the way."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from poolse.testing import Sandbox
from tests.cli.run_command import Called, Command

GONE = "http://127.0.0.1:9"


def told(called: Called) -> dict[str, str]:
    """Status of each check of `poolse doctor --json`."""
    rows = [json.loads(line) for line in called.out.splitlines()]
    return {row["check"]: row["status"] for row in rows}


def test_whoami_says_who_and_from_where(command: Command) -> None:
    called = command("whoami")
    assert (called.code, called.err) == (0, "")
    lines = dict(line.split("  ", 1) for line in called.out.splitlines())
    known = {name: value.strip() for name, value in lines.items()}
    assert known["external ID"] == "alice"
    assert known["poolse ID"] == command.sandbox.user_id("alice")
    assert known["backend"] == f"{command.sandbox.url} (POOLSE_API_URL)"
    assert known["token"] in ("POOLSE_TOKEN, valid for 60 min", "POOLSE_TOKEN, valid for 1 h")


def test_whoami_for_programs(command: Command) -> None:
    row = command("whoami", "--json").json
    assert (row["external_id"], row["api_url"]) == ("alice", command.sandbox.url)
    assert row["token"]["source"] == "POOLSE_TOKEN"
    assert row["token"]["expires_at"].endswith("+00:00")


def test_a_blocked_user_is_warned(command: Command) -> None:
    command.sandbox.block("alice")
    assert "this user is blocked" in command("whoami").err
    checked = command("doctor", "--json")
    assert told(checked)["token"] == "warn"


def test_all_is_well(command: Command) -> None:
    called = command("doctor")
    assert (called.code, called.err) == (0, "")
    assert "FAILED" not in called.out
    for word in ("versions", "address", "clock", "API key", "token", "socket"):
        assert f"\nok      {word}" in f"\n{called.out}"
    assert max(map(len, called.out.splitlines())) <= 80
    for secret in (command.sandbox.api_key, command.sandbox.token("alice")[:40]):
        assert secret not in called.out


def test_without_an_api_key_nothing_is_missing(command: Command) -> None:
    called = command("doctor", "--json", POOLSE_API_KEY=None)
    assert called.code == 0
    assert told(called)["API key"] == "skipped"


@pytest.mark.parametrize(
    ("environ", "code", "failed", "hint"),
    [
        ({"POOLSE_API_URL": GONE}, 5, ["address"], "is the server running at this address?"),
        ({"POOLSE_API_URL": "{}/v1"}, 2, ["settings"], "leave /v1 out of POOLSE_API_URL"),
        ({"POOLSE_API_URL": "{}/other"}, 5, ["address"], "check POOLSE_API_URL"),
        ({"POOLSE_TOKEN": "x.y.z"}, 3, ["token"], "the token is from POOLSE_TOKEN"),
        ({"POOLSE_TOKEN": None}, 3, ["token"], "set POOLSE_TOKEN"),
        ({"POOLSE_API_KEY": "pk_live_x"}, 3, ["API key"], "the API key is from POOLSE_API_KEY"),
        ({"POOLSE_WS_URL": GONE}, 5, ["socket"], "set POOLSE_WS_URL"),
    ],
)
def test_what_fails_is_named_with_what_to_do(
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    environ: dict[str, str | None],
    code: int,
    failed: list[str],
    hint: str,
) -> None:
    monkeypatch.setattr("poolse.cli.checks.TIMEOUT", 1.0)
    known = {key: value and value.format(command.sandbox.url) for key, value in environ.items()}
    called = command("doctor", "--json", **known)
    assert called.code == code, called.out
    assert [name for name, status in told(called).items() if status == "failed"] == failed
    assert hint in called.out


def test_the_clock_is_compared(command: Command, sandbox: Sandbox) -> None:
    sandbox.clock.advance(600)
    called = command("doctor")
    assert called.code == 0
    assert "warn    clock     10 min behind the server's" in called.out


def test_a_certificate_that_is_not_trusted(command: Command) -> None:
    with Sandbox(tls=True) as other:
        called = command("doctor", "--json", POOLSE_API_URL=other.url)
        assert told(called)["TLS"] == "failed"
        assert "SSL_CERT_FILE" in called.out
        trusted = {"POOLSE_API_URL": other.url, "SSL_CERT_FILE": str(other.ca_file)}
        known = {"POOLSE_TOKEN": other.token("alice"), "POOLSE_API_KEY": None, **trusted}
        called = command("doctor", "--json", **known)
        assert (called.code, told(called)["TLS"]) == (0, "ok"), called.out


def test_http_is_not_https(command: Command) -> None:
    url = command.sandbox.url.replace("http:", "https:")
    called = command("doctor", "--json", POOLSE_API_URL=url)
    assert told(called)["TLS"] == "failed"
    assert "begin the address with http://" in called.out


class Elsewhere(BaseHTTPRequestHandler):
    """Another server: 404 to GET, 501 to POST."""

    status: ClassVar = 404
    page: ClassVar = b"<html>"

    def do_GET(self) -> None:
        """Respond with a page."""
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.page)))
        self.end_headers()
        self.wfile.write(self.page)

    def log_message(self, *_arguments: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Print nothing."""


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Generator[str]:
    """URL of a server that is no poolse API."""
    monkeypatch.setattr("random.random", lambda: 0.0)  # no waits between the attempts
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "arguments",
    ["whoami", "conversations list", "listen", "listen {}", "doctor", "send {} Hi", "token bob"],
)
def test_another_server_is_said_by_all(command: Command, elsewhere: str, arguments: str) -> None:
    words = arguments.format(command.conversation).split()
    called = command(*words, POOLSE_API_URL=elsewhere)
    assert called.code == 5
    told = " ".join(f"{called.out} {called.err}".split())
    assert f"{elsewhere} is not a poolse API: HTTP " in told
    assert "this is another server, or a proxy: check POOLSE_API_URL, which has no /v1" in told


@pytest.mark.parametrize("status", [200, 502, 503])
def test_a_proxy_in_trouble_names_the_doctor(
    command: Command, elsewhere: str, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(Elsewhere, "status", status)
    called = command("whoami", POOLSE_API_URL=elsewhere)
    assert called.code == 1
    assert "`poolse doctor` checks" in called.said


def test_without_settings_the_doctor_names_the_sandbox(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poolse.cli.checks.POOLSE_API_URL", GONE)
    nothing = dict.fromkeys(("POOLSE_API_URL", "POOLSE_TOKEN", "POOLSE_API_KEY"))
    called = command("doctor", **nothing)
    assert called.code == 5
    told = " ".join(called.out.split())
    assert "no address, token or API key is set: `poolse sandbox -- bash`" in told
    assert "- token none is set; not checked: the backend is out of reach" in told
