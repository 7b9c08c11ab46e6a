"""An endpoint and its arguments become a request, once per call: all attempts send the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast
from urllib.parse import quote, urlencode

import attrs

from poolse._core.codec import encode
from poolse._core.endpoint import Endpoint
from poolse._core.hands import Outgoing
from poolse._core.settings import Settings, merged
from poolse.errors import UsageError
from poolse.types import UNSET

__all__ = ["authorised", "build"]


def build(
    endpoint: Endpoint[object],
    path: Mapping[str, str],
    query: Mapping[str, object] | None,
    body: object,
    settings: Settings,
) -> Outgoing:
    """The request, complete but for its Authorization. A body that is None is not sent.

    Raises:
        UsageError: A path value, header or body value that cannot be sent.
        TypeError: A path value that is no str.
    """
    content = None if body is None else encode(_filled(endpoint, body, settings))
    own = {"Accept": "application/json"}
    if content is not None:
        own["Content-Type"] = "application/json"
    key = _idempotency_key(endpoint, settings)
    if endpoint.idempotency and key is not None:
        own[endpoint.idempotency] = key
    headers = list(merged(own, settings.headers).items())
    for name, value in headers:
        check_header(name, value)
    url = settings.api_url + _expand(endpoint.path, path) + _query_string(query)
    return Outgoing(endpoint.method, url, headers, content)


def authorised(request: Outgoing, token: str | None) -> Outgoing:
    """The same request with the token, or without any for an unauthenticated call.

    Raises:
        UsageError: A token that HTTP cannot carry.
    """
    # A header twice means nothing certain to a server, and the caller's own headers win.
    if not token or request.has_header("Authorization"):
        return request
    value = f"Bearer {token}"
    check_header("Authorization", value)
    return attrs.evolve(request, headers=[*request.headers, ("Authorization", value)])


def check_header(name: str, value: str) -> None:
    """Refuse what HTTP cannot carry, before it can split a header in two."""
    # The value itself may be a secret, so the message does not show it.
    if not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UsageError(f"the value of header {name} must be a str, not {type(value).__name__}")
    if not value.isprintable() or not value.isascii():
        raise UsageError(f"the value of header {name} has characters that HTTP cannot carry")


def _filled(endpoint: Endpoint[object], body: object, settings: Settings) -> object:
    if not isinstance(body, dict):
        return body
    fields = cast("dict[str, object]", body)
    sent = {name: value for name, value in fields.items() if value is not UNSET}
    for name in endpoint.generate:
        # None as well: an id of null is of no use to anybody.
        if sent.get(name) is None:
            sent[name] = settings.new_id()
    return sent


def _idempotency_key(endpoint: Endpoint[object], settings: Settings) -> str | None:
    if settings.idempotency_key is not UNSET:
        return settings.idempotency_key
    return settings.new_key() if endpoint.idempotency else None


def _expand(template: str, path: Mapping[str, str]) -> str:
    if not path:
        return template
    return template.format_map({name: segment(name, value) for name, value in path.items()})


def segment(name: str, value: str) -> str:
    """One path value as exactly one percent-encoded path segment."""
    if not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    if value in ("", ".", ".."):
        raise UsageError(f"{name} must not be {value!r}: it would address something else")
    return quote(value, safe="")


def _query_string(query: Mapping[str, object] | None) -> str:
    pairs = list(_query_pairs(query)) if query else []
    return "?" + urlencode(pairs, quote_via=quote) if pairs else ""


def _query_pairs(query: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in query.items():
        if value is None or value is UNSET:
            continue
        # JSON's spelling: Python's would be `True`.
        yield name, str(value).lower() if isinstance(value, bool) else str(value)
