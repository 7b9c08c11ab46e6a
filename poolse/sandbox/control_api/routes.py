"""The table of routes of control: requests are served, and documented, by its lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from poolse.sandbox.control_api.call import Route
from poolse.sandbox.control_api.clock_routes import CLOCK_ROUTES
from poolse.sandbox.control_api.fault_routes import FAULT_ROUTES
from poolse.sandbox.control_api.openapi import DOCUMENT_ROUTES
from poolse.sandbox.control_api.page_files import PAGE_ROUTES
from poolse.sandbox.control_api.state import STATE_ROUTES
from poolse.sandbox.control_api.swagger import SWAGGER_ROUTES
from poolse.sandbox.control_api.traffic_routes import TRAFFIC_ROUTES
from poolse.sandbox.control_api.users import USER_ROUTES

__all__ = ["ROUTES"]

ROUTES: Final[Sequence[Route]] = (
    *PAGE_ROUTES,
    *STATE_ROUTES,
    *USER_ROUTES,
    *FAULT_ROUTES,
    *CLOCK_ROUTES,
    *TRAFFIC_ROUTES,
    *SWAGGER_ROUTES,
    *DOCUMENT_ROUTES,
)
