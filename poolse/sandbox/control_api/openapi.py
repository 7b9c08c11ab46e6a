"""The OpenAPI documents: of control, printed from its table of routes, and of the API."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from json import loads
from typing import Any, Final, cast

from starlette.requests import Request
from starlette.responses import Response

from poolse.sandbox.api_versions import NEWEST
from poolse.sandbox.control_api.call import Call, Outcome, Route, json
from poolse.sandbox.control_api.schemas import SCHEMAS, ref
from poolse.sandbox.control_api.state import release
from poolse.sandbox.strict_json import Json, JsonObject
from poolse.sandbox.urls import requested_url

__all__ = ["DOCUMENT_ROUTES", "document"]

_DESCRIPTION: Final = (
    "Controls a poolse sandbox over HTTP: reset, users, tokens, faults, the clock, and the traffic "
    "of the API. Open to programs on the machine of the sandbox, which need no token; pages of "
    "other origins are refused. Bodies are `application/json`."
)

_ERRORS: Final = {
    400: "The body is not JSON.",
    403: "The caller is another machine, or a page of another origin.",
    404: "It does not exist.",
    415: "The body is not sent as `application/json`.",
    422: "Fields are invalid; `details` has what is wrong with each.",
}


def document(routes: Sequence[Route], version: str) -> dict[str, Any]:
    """Return the OpenAPI document of a table of routes."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Control of the poolse sandbox",
            "version": version,
            "description": _DESCRIPTION,
        },
        "servers": [{"url": "/"}],
        "security": [],
        "paths": paths,
        "components": {"schemas": {name: dict(schema) for name, schema in SCHEMAS.items()}},
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.handle.__name__,
        "summary": route.summary,
        "description": route.description or f"{route.summary}.",
    }
    parameters = [*_path_parameters(route), *_query_parameters(route)]
    if parameters:
        operation["parameters"] = parameters
    statuses = {403, *route.errors}
    if route.query:
        statuses.add(422)
    if route.body is not None:
        statuses |= {400, 415, 422}
        content = {"application/json": {"schema": dict(route.body)}}
        operation["requestBody"] = {"required": "required" in route.body, "content": content}
    responses = {str(status): _response(one) for status, one in route.outcomes.items()}
    responses |= {
        str(status): _response(Outcome(_ERRORS[status], ref("Error")))
        for status in sorted(statuses)
    }
    return {**operation, "responses": responses}


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": one.name,
            "in": "path",
            "required": True,
            "description": one.description,
            "schema": {"type": "string"},
        }
        for one in route.path_values
    ]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = []
    for one in route.query:
        schema: dict[str, Any] = {"type": "integer", "minimum": 0}
        limits = {"default": one.default, "maximum": one.maximum}
        schema |= {name: number for name, number in limits.items() if number is not None}
        parameters.append(
            {"name": one.name, "in": "query", "description": one.description, "schema": schema}
        )
    return parameters


def _response(outcome: Outcome) -> dict[str, Any]:
    response: dict[str, Any] = {"description": outcome.description}
    if outcome.schema is not None:
        response["content"] = {"application/json": {"schema": dict(outcome.schema)}}
    elif outcome.media_type is not None:
        response["content"] = {outcome.media_type: {"schema": {"type": "string"}}}
    return response


async def show_control(call: Call) -> Response:
    """Return the document of control."""
    return json(document(call.service.routes, release()))


async def show_api(call: Call) -> Response:
    """Return the document of the API that is spoken."""
    # Tools that read it, such as Swagger UI, send requests to the servers that it names.
    servers: Json = [{"url": requested_url(Request(call.scope))}]
    return json({**_api(call.backend.api_version), "servers": servers})


@cache
def _api(version: str) -> JsonObject:
    name = "openapi.json" if version == NEWEST.name else f"openapi-{version}.json"
    text = files("poolse.sandbox").joinpath(name).read_text("utf-8")
    return cast(JsonObject, loads(text))


_DOCUMENT: Final = {"type": "object", "description": "An OpenAPI document."}

DOCUMENT_ROUTES: Final = (
    Route(
        "GET",
        "/_sandbox/openapi.json",
        show_control,
        "This document",
        {200: Outcome("OpenAPI of control.", _DOCUMENT)},
    ),
    Route(
        "GET",
        "/_sandbox/api.json",
        show_api,
        "The document of the chat API",
        {200: Outcome("OpenAPI of the API that the sandbox speaks.", _DOCUMENT)},
    ),
)
