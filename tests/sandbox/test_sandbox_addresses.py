"""Where a sandbox listens, and the URLs that it names."""

from __future__ import annotations

import re
import socket

import httpx
import pytest
from websockets.sync.client import connect

from poolse.testing import Sandbox
from tests.sandbox.raw_clients import users_of
from tests.sandbox.upload_helpers import link_of, uploaded

HOSTS = [
    ("127.0.0.1", "127.0.0.1"),
    ("localhost", "localhost"),
    ("0.0.0.0", "127.0.0.1"),
    ("::1", "[::1]"),
    ("::", "[::1]"),
]


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize(("host", "named"), HOSTS)
def test_the_urls_of_a_host_can_be_used(host: str, named: str, tls: bool) -> None:
    with Sandbox(host=host, tls=tls) as sandbox, users_of(sandbox, tls=tls) as new_user:
        port = httpx.URL(sandbox.url).port
        letter = "s" if tls else ""
        assert sandbox.url == f"http{letter}://{named}:{port}"
        assert sandbox.ws_url == f"ws{letter}://{named}:{port}"
        alice = new_user("alice")
        context = sandbox.ssl_context() if tls else None
        with httpx.Client(verify=context or False, trust_env=False) as wire:
            link = link_of(alice, uploaded(alice, wire, b"data"))
            assert link.startswith(f"{sandbox.url}/storage/")
            assert wire.get(link).content == b"data"
        url = f"{sandbox.ws_url}/socket/websocket?token={alice.token}&vsn=2.0.0"
        with connect(url, ssl=context, compression=None, ping_interval=None):
            sandbox.wait_for(lambda: sandbox.sockets == 1)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("tls", [False, True])
def test_a_port_in_use_is_named(host: str, tls: bool) -> None:
    with socket.create_server((host, 0), family=_family(host)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on host '{host}', port {port}: .*in use"):
            Sandbox(host=host, port=port, tls=tls).start()


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


@pytest.mark.parametrize(
    "host", ["nowhere.invalid", "a..b", "x" * 64, "", "192.0.2.1", "[::1]"], ids=repr
)
def test_a_host_that_is_none_is_named(host: str) -> None:
    said = re.escape(f"cannot listen on host {host!r}, port 4321: ")
    with pytest.raises(OSError, match=said):
        Sandbox(host=host, port=4321).start()


@pytest.mark.parametrize("port", [-1, 65536, 70_000])
def test_a_port_that_is_none_is_named(port: int) -> None:
    with pytest.raises(ValueError, match=f"port must be 0 to 65535, not {port}"):
        Sandbox(port=port).start()


def test_the_certificate_is_good_for_the_loopback_addresses(tls_sandbox: Sandbox) -> None:
    for name in ("127.0.0.1", "::1", "localhost"):
        port = httpx.URL(tls_sandbox.url).port
        context = tls_sandbox.ssl_context()
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            context.wrap_socket(plain, server_hostname=name) as secure,
        ):
            assert secure.version()
