"""The parts of the backend, put together. Lives on the loop of its server."""

from __future__ import annotations

from poolse.sandbox import api, presence, tokens
from poolse.sandbox.faults import Faults
from poolse.sandbox.front import Front
from poolse.sandbox.hub import Hub
from poolse.sandbox.journal import Journal
from poolse.sandbox.phoenix import Phoenix
from poolse.sandbox.rest import rest_app
from poolse.sandbox.rules import NewUser
from poolse.sandbox.sockets import Sockets
from poolse.sandbox.store import Store

__all__ = ["Backend"]
