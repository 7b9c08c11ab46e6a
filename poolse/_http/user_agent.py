"""How the library introduces itself."""

from __future__ import annotations

import sys

import httpx

from poolse._support.argument_checks import checked_text
from poolse._support.version import version

__all__ = ["user_agent_of"]


def user_agent_of(prefix: str | None) -> str:
    """`poolse-python/x.y (python/3.11; httpx/0.28)`, after the application's own name if given."""
    if prefix is not None:
        checked_text("user_agent", prefix)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    library = ".".join(httpx.__version__.split(".")[:2])
    release = ".".join(version.split(".")[:2])
    own = f"poolse-python/{release} (python/{python}; httpx/{library})"
    return f"{prefix} {own}" if prefix else own
