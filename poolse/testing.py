"""A whole poolse backend for tests, in a thread of the test's own process.

    from poolse.testing import Sandbox

    def test_greeting():
        with Sandbox() as sandbox:
            chat = Poolse(api_url=sandbox.url, get_token=lambda: sandbox.token("alice"))

Needs `pip install 'poolse[sandbox]'`.
"""

from __future__ import annotations

try:
    from poolse.sandbox.breaking import FaultControl
    from poolse.sandbox.clock import Clock
    from poolse.sandbox.control import Sandbox
    from poolse.sandbox.journal import Request
    from poolse.sandbox.tenants import Tenant
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] == "poolse":
        raise
    raise ImportError(
        f"poolse.testing needs {error.name}, which comes with: pip install 'poolse[sandbox]'"
    ) from error

__all__ = ["Clock", "FaultControl", "Request", "Sandbox", "Tenant"]
