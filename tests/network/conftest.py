"""Certificates and servers of the tests of the network front."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from poolse._network import trust
from tests.http.conftest import PROXIES, context_for
from tests.http.raw_server import RawServer
from tests.network.four_connections import serve

VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
NAMES = ("127.0.0.1", "::1", "localhost", "api.corp", "proxy.corp")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine that runs the tests trusts, and its proxies, are none of their business."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    # What another test has loaded, and what this one loads.
    monkeypatch.setattr(trust.SHARED, "made", None)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """For a server that answers to all names that occur here."""
    return context_for(authority, *NAMES)


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture(scope="session")
def ca_directory(ca_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `openssl rehash` makes it."""
    command = ["openssl", "x509", "-hash", "-noout", "-in", str(ca_file)]
    name = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    directory = tmp_path_factory.mktemp("certs")
    (directory / f"{name}.0").write_bytes(ca_file.read_bytes())
    return directory


@pytest.fixture
def trusted(ca_file: Path) -> ssl.SSLContext:
    """For a client of these servers."""
    return ssl.create_default_context(cafile=str(ca_file))


@pytest.fixture
def server(server_tls: ssl.SSLContext) -> Iterator[RawServer]:
    """Serves all four ways over TLS."""
    with serve(server_tls) as made:
        yield made
