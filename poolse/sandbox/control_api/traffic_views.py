"""Entries of the traffic as JSON: a line of the list, and one with its details."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qs

from poolse.sandbox import frames
from poolse.sandbox.control_api.redaction import hidden, hidden_header
from poolse.sandbox.control_api.traffic import Entry, Part, RawHeaders
from poolse.sandbox.strict_json import Json, JsonObject

__all__ = ["TrafficViews", "timestamp"]

_USERS: Final = 1_000
"""Tokens whose users are remembered."""


class TrafficViews:
    """Renders entries, without secrets."""

    def __init__(
        self, user_of: Callable[[str], str | None], api_keys: Callable[[], Iterable[str]]
    ) -> None:
        """Take what only the backend knows.

        Args:
            user_of: Returns the external ID of a token's user, even if the token has expired.
            api_keys: Returns the API keys of all tenants.
        """
        self._user_of = lru_cache(_USERS)(user_of)
        self._api_keys = api_keys

    def line(self, entry: Entry) -> JsonObject:
        """Return an entry as the list has it; what does not apply is null."""
        of_http = entry.handshake is None
        topic, event = (None, None) if of_http else names(entry)
        return {
            "id": entry.id,
            "at": timestamp(entry.at),
            "kind": entry.kind,
            "method": entry.method if of_http else None,
            "path": self.path(entry) if of_http else None,
            "user": self._user(entry),
            "status": entry.status,
            "ms": None if entry.seconds is None else round(entry.seconds * 1000, 1),
            "cut": entry.cut,
            "socket": entry.socket,
            "topic": topic,
            "event": event,
            "size": entry.response_body.size if of_http else entry.frame.size,
        }

    def details(self, entry: Entry) -> JsonObject:
        """Return an entry with its headers and bodies, or with the payload of a frame."""
        if entry.handshake is not None:
            return {**self.line(entry), **self._frame(entry)}
        bodies = entry.request_body, entry.response_body
        return {
            **self.line(entry),
            "request_headers": dict(self.headers(entry.request_headers)),
            "request_body": self.text(entry.request_body),
            "response_headers": dict(self.headers(entry.response_headers)),
            "response_body": self.text(entry.response_body),
            "truncated": any(body.truncated for body in bodies),
        }

    def path(self, entry: Entry) -> str:
        """Return path and query."""
        return hidden(entry.path.decode("latin-1"), self._api_keys())

    def headers(self, headers: RawHeaders) -> Iterable[tuple[str, str]]:
        """Return names and values."""
        keys = self._api_keys()
        for raw_name, raw_value in headers:
            name = raw_name.decode("latin-1")
            yield name, hidden_header(name, raw_value.decode("latin-1"), keys)

    def text(self, part: Part) -> str | None:
        """Return what was kept of a body or a frame as text; None if it is binary."""
        text = _decoded(part)
        return None if text is None else hidden(text, self._api_keys())

    def _frame(self, entry: Entry) -> JsonObject:
        text = self.text(entry.frame)
        payload: Json = text
        join_ref = ref = None
        if text is not None and not entry.frame.truncated:
            try:
                join_ref, ref, _, _, payload, *_ = json.loads(text)
            except (TypeError, ValueError):
                payload = text
        return {
            "join_ref": join_ref,
            "ref": ref,
            "payload": payload,
            "truncated": entry.frame.truncated,
        }

    def _user(self, entry: Entry) -> str | None:
        source = entry.handshake or entry
        token = _credential(source)
        return self._user_of(token) if token else None


def timestamp(seconds: float) -> str:
    """Return a Unix time as text."""
    time = datetime.fromtimestamp(seconds, UTC)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def names(entry: Entry) -> tuple[str | None, str | None]:
    """Return the topic and the event of a frame; nothing if it is malformed."""
    if entry.frame.truncated:
        topic, event = entry.topic, entry.event
    else:
        data = entry.frame.data
        try:
            frame = frames.decode(data.decode() if entry.frame.is_text else data)
        except ValueError:
            return None, None
        topic, event = frame.topic, frame.event
    return _hidden(topic), _hidden(event)


def _hidden(text: str | None) -> str | None:
    return None if text is None else hidden(text)


def _credential(entry: Entry) -> str:
    """Return the token that a request or a handshake came with."""
    if entry.kind == "handshake":
        query = entry.path.partition(b"?")[2].decode("latin-1")
        return parse_qs(query).get("token", [""])[0]
    for name, value in entry.request_headers:
        if name == b"authorization":
            return value.decode("latin-1").partition(" ")[2].strip()
    return ""


def _decoded(part: Part) -> str | None:
    data = part.data
    if b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        # The last character may have been cut.
        if part.truncated and len(data) - error.start < 4:
            return data[: error.start].decode()
        return None
