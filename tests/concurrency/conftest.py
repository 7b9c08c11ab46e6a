"""What these tests share with those of the senders."""

from __future__ import annotations

from tests.http.conftest import authority, no_proxies, server_tls

__all__ = ["authority", "no_proxies", "server_tls"]
