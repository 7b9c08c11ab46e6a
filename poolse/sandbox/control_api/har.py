"""The traffic as HAR 1.2; frames are `_webSocketMessages` of their handshake, as in Chromium."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from poolse.sandbox.control_api.traffic import Entry, Part, RawHeaders
from poolse.sandbox.control_api.traffic_views import TrafficViews, timestamp
from poolse.sandbox.strict_json import Json, JsonObject

__all__ = ["har"]

_UNKNOWN: Final = -1
"""What HAR has for a size or a time that nobody measured."""


def har(entries: Sequence[Entry], views: TrafficViews, release: str) -> JsonObject:
    """Return a HAR document. Frames whose handshake was forgotten are left out."""
    messages: dict[Entry, list[Json]] = {}
    for entry in entries:
        if entry.handshake is not None:
            messages.setdefault(entry.handshake, []).append(_message(entry, views))
    exchanges: list[Json] = []
    for entry in entries:
        if entry.handshake is None:
            exchange = _exchange(entry, views)
            if entry.kind == "handshake":
                exchange["_resourceType"] = "websocket"
                exchange["_webSocketMessages"] = messages.get(entry, [])
            exchanges.append(exchange)
    creator: JsonObject = {"name": "poolse sandbox", "version": release}
    return {"log": {"version": "1.2", "creator": creator, "entries": exchanges}}


def _exchange(entry: Entry, views: TrafficViews) -> JsonObject:
    """Return a request and its response."""
    ms = 0.0 if entry.seconds is None else round(entry.seconds * 1000, 3)
    exchange: JsonObject = {
        "startedDateTime": timestamp(entry.at),
        "time": ms,
        "request": _request(entry, views),
        "response": _response(entry, views),
        "cache": {},
        "timings": {"send": 0, "wait": ms, "receive": 0},
    }
    if entry.cut:
        exchange["comment"] = "the connection ended before the response was complete"
    return exchange


def _request(entry: Entry, views: TrafficViews) -> JsonObject:
    headers = dict(views.headers(entry.request_headers))
    scheme = entry.scheme.replace("ws", "http") if entry.kind == "request" else entry.scheme
    path = views.path(entry)
    query: list[Json] = [
        {"name": name, "value": value}
        for name, value in parse_qsl(urlsplit(path).query, keep_blank_values=True)
    ]
    request: JsonObject = {
        "method": entry.method,
        "url": f"{scheme}://{headers.get('host', 'localhost')}{path}",
        "httpVersion": f"HTTP/{entry.http_version}",
        "cookies": [],
        "headers": _headers(entry.request_headers, views),
        "queryString": query,
        "headersSize": _UNKNOWN,
        "bodySize": entry.request_body.size,
    }
    if entry.request_body.size:
        media_type = headers.get("content-type", "")
        request["postData"] = {
            "mimeType": media_type,
            "text": views.text(entry.request_body) or "",
            **_comment(entry.request_body),
        }
    return request


def _response(entry: Entry, views: TrafficViews) -> JsonObject:
    headers = dict(views.headers(entry.response_headers))
    status = entry.status or 0
    content: JsonObject = {
        "size": entry.response_body.size,
        "mimeType": headers.get("content-type", ""),
        "text": views.text(entry.response_body) or "",
        **_comment(entry.response_body),
    }
    return {
        "status": status,
        "statusText": HTTPStatus(status).phrase if status in set(HTTPStatus) else "",
        "httpVersion": f"HTTP/{entry.http_version}",
        "cookies": [],
        "headers": _headers(entry.response_headers, views),
        "content": content,
        "redirectURL": headers.get("location", ""),
        "headersSize": _UNKNOWN,
        "bodySize": entry.response_body.size,
    }


def _headers(headers: RawHeaders, views: TrafficViews) -> list[Json]:
    return [{"name": name, "value": value} for name, value in views.headers(headers)]


def _message(entry: Entry, views: TrafficViews) -> JsonObject:
    """Return a frame; what the sandbox received is what the client sent."""
    text = views.text(entry.frame) if entry.frame.is_text else None
    return {
        "type": "send" if entry.kind == "received" else "receive",
        "time": entry.at,
        "opcode": 2 if text is None else 1,
        "data": b64encode(entry.frame.data).decode() if text is None else text,
    }


def _comment(part: Part) -> JsonObject:
    return {"comment": f"the first {part.kept} bytes"} if part.truncated else {}
