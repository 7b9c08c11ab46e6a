"""A server of todo lists: REST over TCP, and what it refuses."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import attrs

__all__ = ["KEY", "NOW", "TodoServer", "serving"]

KEY: Final = "k3y"
NOW: Final = "2026-06-01T09:30:00Z"
BASE: Final = "/api/v3"
PAGE: Final = 2
"""How many lists a page has, unless the caller wants fewer."""

Row = dict[str, Any]


class Refused(Exception):  # noqa: N818  (it ends a request)
    """A response that is not 2xx."""

    def __init__(self, status: int, code: str, message: str, **more: object) -> None:
        super().__init__(message)
        self.status = status
        self.fault = {"code": code, "message": message, **more}


@attrs.define
class TodoServer:
    """What it holds and what it was asked."""

    url: str = ""
    lists: dict[int, Row] = attrs.field(factory=dict[int, Row])
    tasks: dict[int, Row] = attrs.field(factory=dict[int, Row])
    asked: list[str] = attrs.field(factory=list[str])
    """Method and target of each request."""
    on_task: Callable[[Row], object] = lambda _: None
    """Called with each new task."""

    def answer(self, method: str, target: str, key: str | None, body: Row) -> tuple[int, object]:
        """Return status and content of a response.

        Raises:
            Refused: It is not 2xx.
        """
        self.asked.append(f"{method} {target}")
        if key != KEY:
            raise Refused(401, "key_unknown", "no such key", help="https://todo.example/keys")
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        for pattern, methods in self._routes().items():
            found = re.fullmatch(BASE + pattern, path)
            if found and method in methods:
                return methods[method](query, body, *map(int, found.groups()))
        raise Refused(404, "gone", f"no {path}")

    def _routes(self) -> dict[str, dict[str, Callable[..., tuple[int, object]]]]:
        one = r"/lists/(\d+)"
        return {
            "/lists": {"GET": self._page, "POST": self._create},
            one: {"GET": self._show, "PATCH": self._update, "DELETE": self._delete},
            rf"{one}/tasks": {"POST": self._add},
            rf"{one}/tasks/(\d+)": {"GET": self._task},
        }

    def _page(self, query: dict[str, list[str]], _: Row) -> tuple[int, object]:
        size = int(query.get("limit", [str(PAGE)])[0])
        start = int(query.get("cursor", ["at-0"])[0].removeprefix("at-"))
        colours = query.get("colour", [])
        rows = [row for row in self.lists.values() if not colours or row["colour"] in colours]
        following = f"at-{start + size}" if start + size < len(rows) else None
        return 200, {"results": rows[start : start + size], "next_cursor": following}

    def _create(self, _: object, body: Row) -> tuple[int, object]:
        row: Row = {"id": len(self.lists) + 7, "colour": None, "created_at": NOW, **_checked(body)}
        self.lists[row["id"]] = row
        return 201, row

    def _show(self, _: object, __: Row, list_id: int) -> tuple[int, object]:
        if list_id not in self.lists:
            raise Refused(404, "gone", f"no list {list_id}")
        return 200, self.lists[list_id]

    def _update(self, _: object, body: Row, list_id: int) -> tuple[int, object]:
        self._show(_, body, list_id)
        self.lists[list_id] |= _checked({"title": self.lists[list_id]["title"], **body})
        return 200, self.lists[list_id]

    def _delete(self, _: object, body: Row, list_id: int) -> tuple[int, object]:
        self._show(_, body, list_id)
        del self.lists[list_id]
        return 204, None

    def _add(self, _: object, body: Row, list_id: int) -> tuple[int, object]:
        self._show(_, body, list_id)
        row: Row = {"id": len(self.tasks) + 1, "list_id": list_id, "is_done": False, **body}
        self.tasks[row["id"]] = row
        self.on_task(row)
        return 201, row

    def _task(self, _: object, body: Row, list_id: int, task_id: int) -> tuple[int, object]:
        self._show(_, body, list_id)
        return 200, self.tasks[task_id]


def _checked(body: Row) -> Row:
    if not body["title"].strip():
        fields = {"title": ["is blank"]}
        raise Refused(422, "invalid", "a list needs a title", fields=fields)
    return body


@contextmanager
def serving() -> Generator[TodoServer]:
    """Run a server on a port of its own."""
    todo = TodoServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline()
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            length = int(self.headers.get("Content-Length", "0"))
            body = json.loads(self.rfile.read(length) or b"{}")
            try:
                status, content = todo.answer(
                    self.command, self.path, self.headers.get("X-Api-Key"), body
                )
            except Refused as refused:
                status, content = refused.status, {"errors": [refused.fault]}
            text = b"" if content is None else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        todo.url = f"http://127.0.0.1:{server.server_port}{BASE}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield todo
        finally:
            server.shutdown()
            thread.join()
