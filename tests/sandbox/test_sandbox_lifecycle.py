"""Starting and stopping. That nothing is left behind is checked after every test."""

from __future__ import annotations

import socket
import sqlite3
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from poolse.testing import Sandbox
from tests.sandbox.raw_clients import users_of


def address_of(sandbox: Sandbox) -> tuple[str, int]:
    host, _, port = sandbox.url.rpartition("//")[2].rpartition(":")
    return host, int(port)


@pytest.mark.parametrize("tls", [False, True])
def test_a_stop_ends_everything(tls: bool) -> None:
    with Sandbox(tls=tls) as sandbox, users_of(sandbox, tls=tls) as new_user:
        alice = new_user("alice")
        phone = alice.phone()
        talk = alice.conversation()
        phone.join(f"conversation:{talk}")
        address = address_of(sandbox)
        sandbox.stop()
        assert phone.close_code() == 1012
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
        assert sandbox.joins == [f"conversation:{talk}"]
        assert len(sandbox.requests) == 1
        assert sandbox.sockets == 0


@pytest.mark.parametrize("tls", [False, True])
def test_clients_that_never_finish_do_not_hold_it_up(tls: bool) -> None:
    with Sandbox(tls=tls) as sandbox:
        address = address_of(sandbox)
        with socket.create_connection(address), socket.create_connection(address) as half:
            half.sendall(b"POST /v1/users HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{")
            # Its answer shows that the two before have been accepted.
            assert httpx.get(sandbox.url, verify=False, trust_env=False).status_code == 200
            sandbox.stop()


def test_a_client_that_does_not_read_does_not_hold_it_up() -> None:
    with Sandbox() as sandbox, users_of(sandbox) as new_user:
        alice = new_user("alice")
        topic = f"conversation:{alice.conversation()}"
        phone = alice.phone()
        phone.join(topic)
        for _ in range(200):
            sandbox.broadcast(topic, "flood", {"text": "x" * 100_000})
        sandbox.stop()
        phone.close_code()


def test_many_at_once() -> None:
    sandboxes = [Sandbox(tls=number == 0).start() for number in range(5)]
    try:
        assert len({sandbox.url for sandbox in sandboxes}) == 5
        token = sandboxes[1].token("alice")
        headers = {"authorization": f"Bearer {token}"}
        found = [
            httpx.get(f"{sandbox.url}/v1/me", headers=headers, trust_env=False).status_code
            for sandbox in sandboxes[1:]
        ]
        assert found == [200, 401, 401, 401]
    finally:
        for sandbox in sandboxes:
            sandbox.stop()


def test_it_may_be_started_again() -> None:
    sandbox = Sandbox()
    for _ in range(2):
        with sandbox:
            assert httpx.get(f"{sandbox.url}/v1/me", trust_env=False).status_code == 401
            assert len(sandbox.requests) == 1
            with pytest.raises(RuntimeError, match="already running"):
                sandbox.start()
    sandbox.stop()


def test_what_needs_a_running_one_says_so() -> None:
    sandbox = Sandbox()
    with pytest.raises(RuntimeError, match="not running"):
        sandbox.token("alice")
    with pytest.raises(RuntimeError, match="not running"):
        _ = sandbox.url
    with sandbox, pytest.raises(RuntimeError, match="tls=True"):
        sandbox.ssl_context()


def test_a_port_that_is_taken(sandbox: Sandbox) -> None:
    with pytest.raises(OSError, match="in use"):
        Sandbox(tls=True, port=address_of(sandbox)[1]).start()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "data.db").write_text("no database at all, but long enough to be looked at " * 9)
    with pytest.raises(sqlite3.DatabaseError):
        Sandbox(data=tmp_path / "data.db").start()


def test_the_ca_file_is_what_the_context_trusts(tls_sandbox: Sandbox) -> None:
    context = ssl.create_default_context(cafile=str(tls_sandbox.ca_file))
    answer = httpx.get(tls_sandbox.url, verify=context, trust_env=False)
    assert answer.status_code == 200
    ca_file = tls_sandbox.ca_file
    tls_sandbox.stop()
    assert not ca_file.exists()


def test_without_starlette_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['starlette'] = None; from poolse.testing import Sandbox"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("ImportError: ")
    assert "pip install 'poolse[sandbox]'" in done.stderr.splitlines()[-1]
