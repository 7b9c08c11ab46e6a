"""What every route of control takes and returns, and how it is described."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Scope

from poolse.sandbox.backend import Backend
from poolse.sandbox.control_api.guards import ControlSettings
from poolse.sandbox.control_api.traffic import Traffic
from poolse.sandbox.control_api.traffic_views import TrafficViews
from poolse.sandbox.rest import json_response
from poolse.sandbox.strict_json import JsonObject, dump

if TYPE_CHECKING:
    from poolse.sandbox.clock import Clock

__all__ = ["Call", "Node", "Outcome", "Path", "Query", "Route", "Service", "empty", "json"]

Node = Mapping[str, Any]
"""A piece of a JSON schema, or of an OpenAPI document."""


@dataclass(frozen=True)
class Service:
    """What the routes work on."""

    backend: Backend
    clock: Clock
    traffic: Traffic
    views: TrafficViews
    settings: ControlSettings
    routes: Sequence[Route]


@dataclass(frozen=True)
class Call:
    """One request, with values that were checked."""

    service: Service
    scope: Scope
    values: Mapping[str, str]
    """Of the path."""
    query: Mapping[str, int]
    body: JsonObject

    @property
    def backend(self) -> Backend:
        """The backend."""
        return self.service.backend

    @property
    def headers(self) -> Headers:
        """Headers of the request."""
        return Headers(scope=self.scope)


class Path(NamedTuple):
    """A text in a path."""

    name: str
    description: str


class Query(NamedTuple):
    """A whole number in a query."""

    name: str
    description: str
    default: int | None
    maximum: int | None = None


class Outcome(NamedTuple):
    """A response, as it is documented."""

    description: str
    schema: Node | None = None
    """Of a JSON body."""
    media_type: str | None = None
    """Of another body."""


@dataclass(frozen=True)
class Route:
    """One line of the table of routes: what is served, and what is documented."""

    method: str
    path: str
    handle: Callable[[Call], Awaitable[ASGIApp]]
    summary: str
    outcomes: Mapping[int, Outcome]
    """The responses of success, by status."""
    description: str = ""
    body: Node | None = None
    """Schema of the JSON object that it takes; None for a request without a body."""
    path_values: tuple[Path, ...] = ()
    query: tuple[Query, ...] = ()
    errors: tuple[int, ...] = ()
    """Statuses of errors beside those of every route."""


def json(value: JsonObject, status: int = 200) -> Response:
    """Return a response with a JSON object."""
    return json_response(status, dump(value))


def empty() -> Response:
    """Return the response of what has nothing to say."""
    return Response(status_code=204)
