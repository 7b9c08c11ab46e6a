"""The sandbox as a whole: is it up, how it is reached, and back to its start."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from poolse.sandbox.control_api.call import Call, Outcome, Route, empty, json
from poolse.sandbox.control_api.schemas import obj, ref
from poolse.sandbox.control_api.swagger import has_swagger
from poolse.sandbox.errors import invalid
from poolse.sandbox.seed import SEED_SCHEMA, SeedError
from poolse.sandbox.urls import requested_url
from poolse.sandbox.uvicorn_protocols import connection_of

__all__ = ["STATE_ROUTES", "release"]


def release() -> str:
    """Return the release of poolse, which only the package around the sandbox knows."""
    return str(import_module("poolse").version)


async def health(call: Call) -> Response:
    """Return that the sandbox is up."""
    backend = call.backend
    return json(
        {
            "status": "ok",
            "version": release(),
            "api": backend.api_version,
            "users": len(backend.users()),
            "sockets": len(backend.registry.sessions),
        }
    )


async def environment(call: Call) -> Response:
    """Return how the sandbox is reached."""
    api_url = requested_url(Request(call.scope))
    ca_file = call.service.settings.ca_file
    return json(
        {
            "api_url": api_url,
            "ws_url": f"ws{api_url.removeprefix('http')}",
            "api_key": call.backend.api_key(),
            "ca_file": None if ca_file is None else str(ca_file),
            "swagger": has_swagger(),
        }
    )


async def reset(call: Call) -> Response:
    """Restart the sandbox."""
    await call.service.settings.reset(connection_of(call.scope))
    return empty()


async def seed(call: Call) -> Response:
    """Create what a seed has."""
    try:
        made = call.backend.seed(call.body)
    except SeedError as error:
        raise invalid(base=str(error)) from None
    return json({"conversations": {**made}}, 201)


STATE_ROUTES: Final = (
    Route(
        "GET",
        "/_sandbox/health",
        health,
        "Is the sandbox up",
        {200: Outcome("It is up.", ref("Health"))},
        "For probes of containers, and for scripts that wait for the sandbox.",
    ),
    Route(
        "GET",
        "/_sandbox/environment",
        environment,
        "How the sandbox is reached",
        {200: Outcome("Addresses and the API key.", ref("Environment"))},
        "What `POOLSE_API_URL`, `POOLSE_WS_URL` and `POOLSE_API_KEY` are set to.",
    ),
    Route(
        "POST",
        "/_sandbox/reset",
        reset,
        "Restart the sandbox",
        {204: Outcome("It has restarted.")},
        "It has no data, users or faults, the clock of the machine and, unless it was started "
        "with an API key, a new API key. Open sockets and all other connections are closed. "
        "A data file is kept.",
    ),
    Route(
        "POST",
        "/_sandbox/seed",
        seed,
        "Create users, conversations and messages",
        {
            201: Outcome(
                "All of it was created; the IDs of the conversations by name.",
                obj(
                    {
                        "conversations": {
                            "type": "object",
                            "additionalProperties": {"type": "string"},
                        }
                    }
                ),
            )
        },
        "As the TOML file of `poolse sandbox --seed`. Members are created if missing; the first "
        "one owns the conversation. Objects that exist are kept: a user is known by the external "
        "ID, a conversation by its name among those of its first member.",
        body=SEED_SCHEMA,
    ),
)
