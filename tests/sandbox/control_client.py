"""A client of `/_sandbox/`, which checks each response against the document of control."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
from jsonschema import Draft202012Validator

from poolse.sandbox.path_matching import match_route
from poolse.testing import Sandbox


class Operation:
    """One operation of the document."""

    def __init__(self, method: str, path: str, node: dict[str, Any]) -> None:
        self.method = method
        self.path = path
        self.node = node


def operations(document: dict[str, Any]) -> list[Operation]:
    return [
        Operation(method.upper(), path, node)
        for path, item in document["paths"].items()
        for method, node in item.items()
    ]


class Control:
    """Sends requests to `/_sandbox/`."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.document: dict[str, Any] = http.get("/_sandbox/openapi.json").json()
        self._operations = operations(self.document)
        self.seen: set[tuple[str, str]] = set()

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        answer = self.http.request(method, path, **options)
        self.check(method, answer)
        return answer

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, /, expect: int = 201, **body: Any) -> Any:
        answer = self.ask("POST", path, json=body)
        assert answer.status_code == expect, answer.text
        return answer.json() if answer.content else None

    def complaints(self, method: str, path: str, body: object) -> dict[str, list[str]]:
        """The details of a 422."""
        answer = self.ask(method, path, json=body)
        assert answer.status_code == 422, answer.text
        details: dict[str, list[str]] = answer.json()["error"]["details"]
        return details

    def check(self, method: str, answer: httpx.Response) -> None:
        """Check a response of a known route against the document."""
        raw_path = answer.request.url.raw_path.decode().partition("?")[0]
        known, _ = match_route(self._operations, method, raw_path)
        self.seen.add((known.method, known.path))
        described = known.node["responses"][str(answer.status_code)]
        content = described.get("content", {})
        if not content:
            assert answer.content == b""
            return
        if "application/json" not in content:
            return
        assert answer.headers["content-type"] == "application/json"
        schema = {
            **content["application/json"]["schema"],
            "components": self.document["components"],
        }
        validator: Any = Draft202012Validator(schema)
        assert list(validator.iter_errors(answer.json())) == []


@contextmanager
def control_of(sandbox: Sandbox, **options: Any) -> Generator[Control]:
    with httpx.Client(base_url=sandbox.url, trust_env=False, **options) as http:
        yield Control(http)


class Event:
    """An event of the stream."""

    def __init__(self, fields: dict[str, str]) -> None:
        self.id = int(fields["id"])
        self.entry: dict[str, Any] = json.loads(fields["data"])


def events(lines: Iterator[str]) -> Iterator[Event]:
    """Events of a stream, as they come."""
    fields: dict[str, str] = {}
    for line in lines:
        # A test that waits for what does not come would wait forever: comments keep it going.
        assert not line.startswith(":"), "nothing came"
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "id" in fields:
            yield Event(fields)
            fields = {}


@contextmanager
def watching(
    control: Control, last: int | None = None, path: str = ""
) -> Generator[Iterator[Event]]:
    """The stream of entries."""
    headers = {} if last is None else {"last-event-id": str(last)}
    url = f"/_sandbox/traffic/events{path}"
    with control.http.stream("GET", url, headers=headers, timeout=20) as answer:
        assert answer.status_code == 200
        yield events(answer.iter_lines())


def of_kind(entries: Sequence[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    return [entry for entry in entries if entry["kind"] in kinds]
