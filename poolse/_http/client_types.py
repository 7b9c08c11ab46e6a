"""Types of the `http_client` argument. Nobody else has to load httpx, and wait for it."""

from __future__ import annotations

import httpx

__all__ = ["AsyncHttpClient", "HttpClient"]

AsyncHttpClient = httpx.AsyncClient
"""Type of the `http_client` argument of async clients."""

HttpClient = httpx.Client
"""Type of the `http_client` argument of sync clients."""
