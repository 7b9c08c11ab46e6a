"""TLS certificates that live as long as one sandbox."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme

from poolse.sandbox.temporary_folder import TemporaryFolder

__all__ = ["Certificates"]


class Certificates:
    """A certificate authority, and one certificate of it for this machine."""

    def __init__(self) -> None:
        self._authority = trustme.CA()
        self._folder = TemporaryFolder("poolse-sandbox-")
        self.ca_file: Path = self._folder.path / "ca.pem"
        """The authority's certificate as PEM."""
        self._authority.cert_pem.write_to_path(str(self.ca_file))

    def server_context(self, host: str) -> ssl.SSLContext:
        """For the server; its certificate is good for the loopback addresses and the host."""
        names = dict.fromkeys(["127.0.0.1", "::1", "localhost", host])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate = self._authority.issue_cert(*names)
        certificate.configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
        return context

    def client_context(self) -> ssl.SSLContext:
        """For a client: trusts this authority and no other."""
        return ssl.create_default_context(cafile=str(self.ca_file))

    def remove(self) -> None:
        """Remove what lies on disk."""
        self._folder.remove()
