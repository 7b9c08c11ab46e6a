"""An API and a storage whose behaviour a test says step by step."""

from __future__ import annotations

import hashlib
import itertools
import json
import ssl
from collections.abc import Callable
from typing import Any

from poolse import Attachment, from_dict
from tests.http.raw_server import Connection, RawServer, ReceivedRequest

__all__ = ["EXPIRED", "Step", "World", "asked_for", "refuse", "row_of", "stored"]

Step = Callable[["World", Connection, ReceivedRequest], None]
"""Serves one request of the storage. Its body has not been read yet."""

SIGNATURE = "X-Amz-Signature=5ecret%2Fsignature&x=1"
TIME = "2026-06-01T09:30:00.123456Z"
EXPIRED = b"<Error><Code>AccessDenied</Code><Message>ReceivedRequest has expired</Message></Error>"


def row_of(content: bytes, **fields: Any) -> Attachment:
    """The row of a file that is stored."""
    return from_dict(
        _row("a-1", len(content), _hash(content), "text/plain", None) | fields, Attachment
    )


def stored(world: World, connection: Connection, request: ReceivedRequest) -> None:
    """Take all bytes, and say so; or give those that are asked for."""
    if request.line.startswith("GET"):
        connection.answer(*asked_for(world, request))
        return
    length = int(request.headers["content-length"])
    body = connection.take(length)
    if len(body) == length:
        world.bodies.append(body)
        connection.answer()


def refuse(status: str, body: bytes = b"", fields: str = "", after: int | None = None) -> Step:
    """Answer with an error, after all bytes were read or only so many."""

    def step(_world: World, connection: Connection, request: ReceivedRequest) -> None:
        length = int(request.headers.get("content-length", 0))
        connection.take(length if after is None else min(after, length))
        connection.answer(body, status, fields)
        if after is not None:
            connection.drop()

    return step


class World(RawServer):
    """Each request of the storage is served by the next step, when they are used up by `stored`."""

    def __init__(self, *steps: Step, context: ssl.SSLContext | None = None) -> None:
        super().__init__(self._answer, context, whole=False)
        self.steps = list(steps)
        self.content = b""
        """What can be downloaded."""
        self.headers: dict[str, str] = {}
        """Signed for uploads, besides the content type."""
        self.asked: list[tuple[ReceivedRequest, dict[str, Any]]] = []
        """What came to the API, with the bodies."""
        self.storage: list[ReceivedRequest] = []
        """Heads of what came to the storage."""
        self.bodies: list[bytes] = []
        """Of the uploads that came in whole."""
        self._numbers = itertools.count(1)

    def _answer(self, connection: Connection, request: ReceivedRequest) -> None:
        if not request.line.endswith(" HTTP/1.1"):
            raise ConnectionAbortedError("the rest of a body that nobody read")
        target = request.line.split(" ")[1]
        if target.startswith("/v1/"):
            body = connection.take(int(request.headers.get("content-length", 0)))
            fields: dict[str, Any] = json.loads(body) if body else {}
            self.asked.append((request, fields))
            connection.answer(json.dumps(self._place(fields)).encode(), "200 OK")
            return
        self.storage.append(request)
        step = self.steps.pop(0) if self.steps else stored
        step(self, connection, request)

    def _place(self, fields: dict[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        url = f"{self.base}/bucket/a-{number}?{SIGNATURE}"
        if not fields:
            return {"url": url, "method": "get"}
        kind = fields["content_type"]
        name = fields.get("original_filename")
        return {
            "attachment": _row(f"a-{number}", fields["byte_size"], None, kind, name),
            "upload": {
                "url": url,
                "method": "put",
                "headers": {"Content-Type": kind, **self.headers},
            },
        }


def asked_for(world: World, request: ReceivedRequest) -> tuple[bytes, str, str]:
    """What a download is answered: body, status and headers."""
    content, etag = world.content, f'"{_hash(world.content)}"'
    fields = f"ETag: {etag}\r\n"
    wanted = request.headers.get("range")
    if wanted is None or request.headers.get("if-range", etag) != etag:
        return content, "200 OK", fields
    start = int(wanted.removeprefix("bytes=").removesuffix("-"))
    fields += f"Content-Range: bytes {start}-{len(content) - 1}/{len(content)}\r\n"
    return content[start:], "206 Partial Content", fields


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _row(row_id: str, size: int, sha256: str | None, kind: str, name: str | None) -> dict[str, Any]:
    return {
        "id": row_id,
        "tenant_id": "t",
        "message_id": None,
        "sender_id": None,
        "content_type": kind,
        "byte_size": size,
        "sha256": sha256,
        "original_filename": name,
        "status": "pending",
        "inserted_at": TIME,
        "updated_at": TIME,
    }
