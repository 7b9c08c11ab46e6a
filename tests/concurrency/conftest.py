"""What these tests share with those of the senders and of files."""

from __future__ import annotations

from tests.files.conftest import world
from tests.http.conftest import authority, client_tls, full_backlog, no_proxies, server_tls

__all__ = ["authority", "client_tls", "full_backlog", "no_proxies", "server_tls", "world"]
