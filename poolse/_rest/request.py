"""An endpoint and its arguments become a request, once per call: all attempts send the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast
from urllib.parse import quote

import attrs
import orjson

from poolse._json.codec import encode, query_text
from poolse._rest.arguments import check_arguments, check_needed
from poolse._rest.endpoint import Endpoint
from poolse._rest.request_io import Request
from poolse._rest.settings import Settings, merged
from poolse._support.argument_checks import (
    PLAIN_HINT,
    check_header,
    checked_mapping,
    checked_text,
    not_awaitable,
)
from poolse._support.ids import SEGMENTS
from poolse.errors import UsageError
from poolse.types import UNSET

__all__ = ["authorised", "build", "target"]


def build(
    endpoint: Endpoint[object],
    path: Mapping[str, object],
    query: Mapping[str, object] | None,
    body: object,
    settings: Settings,
) -> Request:
    """The request, complete but for its Authorization. A body that is None is not sent.

    Raises:
        UsageError: A path value, header or body value that cannot be sent.
        ArgumentTypeError: A value of the wrong type.
    """
    url = settings.api_url + target(endpoint, path, query)
    # All arguments are judged before an id or a key is made.
    content = _content(endpoint, _encoded(endpoint, body), settings)
    own = {"Accept": "application/json"}
    if content is not None:
        own["Content-Type"] = "application/json"
    if endpoint.idempotency and settings.idempotency_key is not None:
        key = settings.idempotency_key or not_awaitable(
            "generate_idempotency_key", settings.new_key(), PLAIN_HINT
        )
        own[endpoint.idempotency] = check_header(endpoint.idempotency, key)
        if not key:
            raise UsageError("generate_idempotency_key gave an empty key, which protects nothing")
    headers = list(merged(own, settings.headers).items())
    return Request(endpoint.method, url, headers, content)


def target(
    endpoint: Endpoint[object], path: Mapping[str, object], query: Mapping[str, object] | None
) -> str:
    """Path and query, percent-encoded.

    Raises:
        UsageError: A value that cannot be sent.
        ArgumentTypeError: A value of the wrong type.
    """
    if endpoint.segments:
        path = check_arguments(endpoint.segments, path)
    expanded = _expand(endpoint.path, path)
    if query is None:
        return expanded
    fields = {
        checked_text("a name in query", name): value
        for name, value in checked_mapping("query", query).items()
    }
    check_needed(endpoint.needs, fields)
    said = {
        name: value for name, value in fields.items() if value is not None and value is not UNSET
    }
    given = check_arguments(endpoint.takes, said)
    pairs = [
        f"{_quoted('a name in query', name)}={_quoted(name, query_text(name, value))}"
        for name, value in given.items()
    ]
    # The path of a raw call may have a query of its own.
    joint = "&" if "?" in expanded else "?"
    return f"{expanded}{joint}{'&'.join(pairs)}" if pairs else expanded


def authorised(request: Request, token: str | None) -> Request:
    """The same request with the token, or without any for an unauthenticated call.

    Raises:
        UsageError: A token that HTTP cannot carry.
    """
    # A header twice means nothing certain to a server, and the caller's own headers win.
    if not token or request.header("Authorization") is not None:
        return request
    value = check_header("Authorization", f"Bearer {token}")
    return attrs.evolve(request, headers=[*request.headers, ("Authorization", value)])


def _encoded(
    endpoint: Endpoint[object], body: object
) -> dict[str, orjson.Fragment] | orjson.Fragment | None:
    """The body, each of its fields encoded by itself: so an error can say which one it is about."""
    if body is None:
        return None
    if not isinstance(body, Mapping):
        return orjson.Fragment(encode(body))
    fields = {
        checked_text("a name in body", name): value
        for name, value in cast("Mapping[object, object]", body).items()
    }
    check_needed(endpoint.needs, fields)
    said = {
        name: value
        for name, value in fields.items()
        # None as well for what the client fills in: an id of null is of no use to anybody.
        if value is not UNSET and not (value is None and name in endpoint.generate)
    }
    given = check_arguments(endpoint.takes, said)
    return {name: orjson.Fragment(encode(value, name)) for name, value in given.items()}


def _content(
    endpoint: Endpoint[object],
    fields: dict[str, orjson.Fragment] | orjson.Fragment | None,
    settings: Settings,
) -> bytes | None:
    if fields is None:
        return None
    if not isinstance(fields, dict):
        return orjson.dumps(fields)
    made = {name: settings.new_id() for name in endpoint.generate if name not in fields}
    return orjson.dumps({**fields, **made})


def _expand(template: str, path: Mapping[str, object]) -> str:
    if not path:
        return template
    return template.format_map({name: segment(name, value) for name, value in path.items()})


def segment(name: str, value: object) -> str:
    """One path value as exactly one percent-encoded path segment."""
    text = checked_text(name, value)
    if text in ("", *SEGMENTS):
        raise UsageError(f"{name} must not be {text!r}: it would address something else")
    return _quoted(name, text)


def _quoted(name: str, value: str) -> str:
    try:
        return quote(checked_text(name, value), safe="")
    except UnicodeEncodeError:
        raise UsageError(f"{name} has half a character (a lone surrogate)") from None
