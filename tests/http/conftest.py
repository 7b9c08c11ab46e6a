"""What tests of the senders share."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import pytest
import trustme

from tests.http.sync_and_async_senders import FLAVOURS, GIVEN, Once

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def context_for(authority: trustme.CA, *hosts: str) -> ssl.SSLContext:
    """For a server that answers to these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued = authority.issue_cert(*hosts)
    with issued.private_key_and_cert_chain_pem.tempfile() as path:
        context.load_cert_chain(path)
    return context


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxies of the machine that runs the tests are none of their business."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(params=sorted(FLAVOURS))
def send(request: pytest.FixtureRequest) -> Once:
    """One call with a sender of our own."""
    return FLAVOURS[request.param]


@pytest.fixture(params=sorted(FLAVOURS | GIVEN))
def send_any(request: pytest.FixtureRequest) -> Once:
    """One call, also with an httpx client that was passed in."""
    return (FLAVOURS | GIVEN)[request.param]


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """For a server on 127.0.0.1 and localhost."""
    return context_for(authority, "127.0.0.1", "localhost")


@pytest.fixture
def client_tls(authority: trustme.CA) -> ssl.SSLContext:
    """For a client that trusts our authority."""
    context = ssl.create_default_context()
    context.load_verify_locations(cadata=authority.cert_pem.bytes().decode())
    return context


@pytest.fixture
def full_backlog() -> Iterator[str]:
    """A server whose queue is full: the kernel answers no further connection."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        for sock in waiting:
            sock.close()
