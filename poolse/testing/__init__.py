"""A complete poolse backend for tests, in a thread of the test process.

    from poolse.testing import Sandbox

    def test_greeting():
        with Sandbox() as sandbox:
            chat = Poolse(api_url=sandbox.url, get_token=lambda: sandbox.token("alice"))

Requires `pip install 'poolse[sandbox]'`. `pip install 'poolse[testing]'` includes pytest, which
finds the fixtures of `poolse.testing.plugin` automatically. `poolse.testing.factories` creates
models and events, and requires neither.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from poolse.sandbox.clock import Clock
    from poolse.sandbox.control import Sandbox, Tenant
    from poolse.sandbox.fault_control import FaultControl
    from poolse.sandbox.request_log import Request
    from poolse.testing.clients import async_client_for, client_for

__all__ = [
    "Clock",
    "FaultControl",
    "Request",
    "Sandbox",
    "Tenant",
    "async_client_for",
    "client_for",
]

# Loaded when first used: pytest imports this package at the start of every run.
_LAZY = {
    "Clock": "poolse.sandbox.clock",
    "FaultControl": "poolse.sandbox.fault_control",
    "Request": "poolse.sandbox.request_log",
    "Sandbox": "poolse.sandbox.control",
    "Tenant": "poolse.sandbox.control",
    "async_client_for": "poolse.testing.clients",
    "client_for": "poolse.testing.clients",
}


def __getattr__(name: str) -> object:
    try:
        module = _LAZY[name]
    except KeyError:
        raise AttributeError(f"module 'poolse.testing' has no attribute {name!r}") from None
    try:
        value = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        needed = (error.name or "").partition(".")[0]
        if needed == "poolse":
            raise
        raise ImportError(
            f"poolse.testing needs {needed}, which comes with: pip install 'poolse[sandbox]'"
        ) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
