"""The proxies that environment variables, Windows and macOS name."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Final

__all__ = ["is_bypassed", "system_proxies"]

HAS_SETTINGS: Final = sys.platform in ("darwin", "win32")
"""Whether there may be proxies that no variable names."""


def system_proxies() -> Mapping[str, str]:
    """Return the URLs of proxies, by the schemes that they are for."""
    if not HAS_SETTINGS and not any(name.lower().endswith("_proxy") for name in os.environ):
        return {}
    # Imported lazily: it is a quarter of what a program with one call would load.
    from urllib.request import getproxies

    return getproxies()


def is_bypassed(host: str) -> bool:
    """Return whether the settings of the system say that no proxy is used for a host."""
    from urllib.request import proxy_bypass

    return bool(proxy_bypass(host))
