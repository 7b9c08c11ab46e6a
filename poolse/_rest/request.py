"""An endpoint and its arguments become a request, once per call: all attempts send the same."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Final, cast
from urllib.parse import quote

import attrs
import orjson

from poolse._json.codec import encode, encode_fields, plain, query_text
from poolse._rest.arguments import Kind, is_list
from poolse._rest.endpoint import BEARER, Auth, Endpoint
from poolse._rest.http_messages import Request
from poolse._rest.settings import Settings
from poolse._support.argument_checks import (
    PLAIN_HINT,
    check_header,
    checked_mapping,
    checked_text,
    not_awaitable,
)
from poolse._support.id_arguments import SEGMENTS
from poolse.errors import ArgumentTypeError, UsageError
from poolse.types import UNSET

__all__ = ["authorised", "build", "check_arguments", "target"]

VISIBLE: Final = re.compile(r"[!-~]+")
"""What can be the value of a header without a further look."""


def build(
    endpoint: Endpoint[object],
    path: Mapping[str, object],
    query: Mapping[str, object] | None,
    body: object,
    settings: Settings,
) -> Request:
    """Return the request, complete but for its Authorization. A body that is None is not sent.

    Raises:
        UsageError: A path value, header or body value that cannot be sent.
        ArgumentTypeError: A value of the wrong type.
    """
    where = settings.base_path + target(endpoint, path, query)
    # All arguments are checked before an ID or a key is made.
    content = None if body is None else _content(endpoint, body, settings)
    headers = [*settings.headers.items(), *_header_fields(endpoint, query)]
    # To HTTP, names that differ in case only are the same, and the caller's headers win.
    names = settings.header_names
    if "accept" not in names:
        headers.append(("Accept", "application/json"))
    if content is not None and "content-type" not in names:
        headers.append(("Content-Type", "application/json"))
    key, name = None, endpoint.idempotency
    if name is not None and name.lower() in names:
        key = next(value for given, value in headers if given.lower() == name.lower())
    elif name is not None and settings.idempotency_key is not None:
        key = settings.new_key() if settings.idempotency_key is UNSET else settings.idempotency_key
        if key.__class__ is not str or not VISIBLE.fullmatch(key):
            _check_key(name, key)
        headers.append((name, key))
    shown = where
    if endpoint.secrets:
        hidden = {**path, **dict.fromkeys(endpoint.secrets, "...")}
        shown = settings.base_path + target(endpoint, hidden, query)
    return Request(endpoint.method, settings.origin, where, headers, content, key, shown=shown)


def target(
    endpoint: Endpoint[object], path: Mapping[str, object], query: Mapping[str, object] | None
) -> str:
    """Return path and query, percent-encoded.

    Raises:
        UsageError: A value that cannot be sent.
        ArgumentTypeError: A value of the wrong type.
    """
    if endpoint.segments:
        checked = check_arguments(endpoint.segments, path)
        numbers = {
            name: str(checked[name]) for name in endpoint.segments if isinstance(checked[name], int)
        }
        path = {**checked, **numbers}
    expanded = endpoint.path
    if path:
        segments: dict[str, str] = {}
        for name, value in path.items():
            if value in ("", *SEGMENTS):
                raise UsageError(f"{name} must not be {value!r}: it would address something else")
            segments[name] = _quoted(name, value)
        expanded = endpoint.path.format_map(segments)
    if query is None:
        return expanded
    fields: dict[str, object] = {}
    for key, value in checked_mapping("query", query).items():
        name = checked_text("a name in query", key)
        if value is UNSET:
            if name in endpoint.needs:
                raise _cannot_be_unset(name)
        elif value is not None and name not in endpoint.headers:
            fields[name] = value
    pairs = [
        f"{_quoted('a name in query', name)}={_quoted(name, query_text(name, item))}"
        for name, value in check_arguments(endpoint.takes, fields).items()
        # A list repeats its name.
        for item in (cast("Sequence[object]", value) if is_list(value) else [value])
    ]
    # The path of a raw call may have a query of its own.
    joint = "&" if "?" in expanded else "?"
    return f"{expanded}{joint}{'&'.join(pairs)}" if pairs else expanded


def _header_fields(
    endpoint: Endpoint[object], query: Mapping[str, object] | None
) -> list[tuple[str, str]]:
    """Return the parameters of a call that are sent as headers."""
    fields = {name: (query or {}).get(name) for name in endpoint.headers}
    given = {name: value for name, value in fields.items() if value not in (None, UNSET)}
    pairs = [
        (name, query_text(name, value))
        for name, value in check_arguments(endpoint.takes, given).items()
    ]
    for name, text in pairs:
        check_header(name, text)
    return pairs


def check_arguments(takes: Mapping[str, Kind], fields: Mapping[str, object]) -> dict[str, object]:
    """Return what to send, or refuse the first value that does not fit.

    Raises:
        ArgumentTypeError: It names the field, what is wanted, and the type of the value.
    """
    checked = {**fields}
    for name, value in fields.items():
        kind = takes.get(name)
        if kind is None or value.__class__ in kind.types:
            continue
        if not kind.fits(value):
            raise ArgumentTypeError(kind.complaint(name, value))
        if kind.sent is not None:
            checked[name] = kind.sent(name, value)
    return checked


def checked_payload(takes: Mapping[str, Kind], fields: Mapping[str, object]) -> dict[str, object]:
    """Return what a push sends, without what is left out.

    Raises:
        ArgumentTypeError: A value of the wrong type.
        UsageError: A value that JSON cannot say.
    """
    given = {name: value for name, value in fields.items() if value is not UNSET}
    checked = check_arguments(takes, given)
    return {name: plain(value, name) for name, value in checked.items()}


def authorised(request: Request, token: str | None, auth: Auth = BEARER) -> Request:
    """Return the request with the credential, or without any for an unauthenticated call.

    Raises:
        UsageError: A token that HTTP cannot carry.
    """
    if not token:
        return request
    match auth.scheme:
        case "bearer":
            value = f"Bearer {token}"
        case "basic":
            value = f"Basic {b64encode(token.encode()).decode()}"
        case "header":
            value = token
        case "query":
            joint = "&" if "?" in request.target else "?"
            pair = f"{_quoted('the query', auth.name)}={_quoted(auth.name, token)}"
            return attrs.evolve(request, target=f"{request.target}{joint}{pair}")
    if not VISIBLE.fullmatch(token):
        check_header(auth.name, value)
    return attrs.evolve(request, headers=[*request.headers, (auth.name, value)])


def _cannot_be_unset(name: str) -> ArgumentTypeError:
    return ArgumentTypeError(f"{name} cannot be left out: pass a value instead of UNSET")


def _check_key(name: str, key: object) -> None:
    check_header(name, not_awaitable("generate_idempotency_key", key, PLAIN_HINT))
    if not key:
        raise UsageError("generate_idempotency_key returned an empty key")


def _content(endpoint: Endpoint[object], body: object, settings: Settings) -> bytes:
    if not isinstance(body, Mapping):
        return encode(body)
    fields: dict[str, object] = {}
    for name, value in cast("Mapping[object, object]", body).items():
        if not isinstance(name, str):
            checked_text("a name in body", name)
        elif value is UNSET:
            if name in endpoint.needs:
                raise _cannot_be_unset(name)
        # Nor None for what the client fills in: an ID of null is of no use to anybody.
        elif value is not None or name not in endpoint.generate:
            fields[name] = value
    fields = check_arguments(endpoint.takes, fields)
    content = encode_fields(fields)
    if endpoint.generate:
        made: dict[str, str] = {}
        for name in endpoint.generate:
            if name not in fields:
                made[name] = settings.new_id()
        # Added to the JSON, because no ID is made before the arguments are known to be right.
        if made and fields:
            return content[:-1] + b"," + orjson.dumps(made)[1:]
        if made:
            return orjson.dumps(made)
    return content


def _quoted(name: str, value: object) -> str:
    text = value if isinstance(value, str) else checked_text(name, value)
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise UsageError(f"{name} has half a character (a lone surrogate)") from None
