"""Every kind of type in every place: what arrives is what was passed, and reads as its type."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs
import pytest

from codegen.build_api import build
from codegen.ir import Api
from codegen.kinds import KINDS
from codegen.yaml_source import SpecError
from tests.codegen.kinds_spec import CASES, PLACES, Case, cases_of, left_out_of, write_spec
from tests.codegen.project_copy import ROOT, Tree, plant
from tests.codegen.test_generated_types import CHECKERS, check
from tests.realtime.scripted_server import Frame, ok, phoenix

pytestmark = pytest.mark.tools

BODIES: Final = ("sync", "async")
RECEIVED: Final = ("body", "reply", "event")
REFUSED: Final = [
    (kind, place)
    for kind in KINDS
    for place in PLACES
    # Where a segment may not stand, its schema is that of a plain string.
    if kind != "segment" and place not in KINDS[kind].places.split()
]

PROGRAM: Final = """
import asyncio, json, queue, sys
from datetime import UTC, datetime
from uuid import UUID
from poolse import AsyncPoolse, Colour, Poolse, Whole, to_dict
from poolse.testing.factories import make_place

def check(values, wanted):
    return {name: getattr(values, name) == value and type(getattr(values, name)) is type(value)
            for name, value in wanted.items()}

WANTED = {WANTED}

def sync_main(where):
    with Poolse(**where) as echo:
        echo.echo.path({PATH})
        echo.echo.query({QUERY})
        echo.echo.header({HEADER})
        body = echo.echo.body({BODY})
        live, events = echo.realtime.echo(make_place(id=12)), queue.Queue()
        live.on_pushed(events.put)
        live.wait_joined()
        reply = live.echo({PUSH})
        return body, reply, events.get(timeout=10)

async def async_main(where):
    async with AsyncPoolse(**where) as echo:
        await echo.echo.path({PATH})
        await echo.echo.query({QUERY})
        await echo.echo.header({HEADER})
        body = await echo.echo.body({BODY})
        live, events = echo.realtime.echo(make_place(id=12)), asyncio.Queue()
        live.on_pushed(events.put)
        await live.wait_joined()
        reply = await live.echo({PUSH})
        return body, reply, await asyncio.wait_for(events.get(), 10)

body, api_url, ws_url = sys.argv[1:]
where = {"token": "t", "api_url": api_url, "ws_url": ws_url}
made = sync_main(where) if body == "sync" else asyncio.run(async_main(where))
print(json.dumps([check(values, WANTED) for values in made]))
"""


@attrs.define
class Arrived:
    """What came to the server, and what the program read."""

    path: list[str] = attrs.field(factory=list[str])
    query: list[tuple[str, str]] = attrs.field(factory=list[tuple[str, str]])
    header: dict[str, str] = attrs.field(factory=dict[str, str])
    body: dict[str, Any] = attrs.field(factory=dict[str, Any])
    push: dict[str, Any] = attrs.field(factory=dict[str, Any])
    read: dict[str, dict[str, bool]] = attrs.field(factory=dict[str, dict[str, bool]])


@contextmanager
def echoing(arrived: Arrived) -> Generator[str]:
    """Run a server that returns what it is sent. Yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            match parts.path.split("/")[1]:
                case "path":
                    arrived.path = [unquote(step) for step in parts.path.split("/")[2:]]
                case "query":
                    arrived.query = parse_qsl(parts.query, keep_blank_values=True)
                case _:
                    arrived.header = {
                        name: text.encode("latin-1").decode() for name, text in self.headers.items()
                    }
            self.send_response(204)
            self.end_headers()

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            arrived.body = json.loads(content)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The library for the spec with all kinds, and a program that calls all of it."""
    folder = tmp_path_factory.mktemp("kinds")
    write_spec(folder / "spec")
    tree = plant(folder / "tree", spec=folder / "spec")
    tree.generate()
    text = PROGRAM
    for place in PLACES:
        values = ", ".join(f"{name}={case.value}" for name, case in cases_of(place).items())
        text = text.replace(f"{{{place.upper()}}}", values)
    wanted = ", ".join(f"{name!r}: {case.received}" for name, case in cases_of("model").items())
    left_out = ", ".join(f"{name!r}: None" for name in left_out_of("model"))
    text = text.replace("{WANTED}", f"{{{wanted}, {left_out}}}")
    (tree.path / "program.py").write_text(text, "utf-8")
    (tree.path / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}', "utf-8")
    return tree


def use(tree: Tree, body: str) -> Arrived:
    """Run the program."""
    arrived = Arrived()

    def channel(frame: Frame) -> Iterable[object]:
        if frame[3] == "push":
            arrived.push = frame[4]
            yield ok(frame, frame[4])
            yield [None, None, frame[2], "pushed", frame[4]]

    with echoing(arrived) as url, phoenix(channel) as live:
        ws_url = live.url.removesuffix("/socket")
        read = json.loads(tree.python("program.py", body, url, ws_url))
    arrived.read = dict(zip(RECEIVED, read, strict=True))
    return arrived


@pytest.fixture(scope="module")
def runs(tree: Tree) -> dict[str, Arrived]:
    """The program, sync and async."""
    return {body: use(tree, body) for body in BODIES}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Api:
    """What the generator makes of the spec."""
    folder = tmp_path_factory.mktemp("kinds") / "spec"
    write_spec(folder)
    return build(folder)


def texts(case: Case) -> list[str]:
    """What stands in a URL or a header; a list is said by repeating its name."""
    value: object = case.json
    values = cast("list[object]", value) if isinstance(value, list) else [value]
    return [one if isinstance(one, str) else json.dumps(one) for one in values]


def test_every_kind_has_a_case() -> None:
    assert CASES.keys() == KINDS.keys()
    named = {place for kind in KINDS.values() for place in kind.places.split()}
    assert named == {*PLACES, "item"}


def test_the_docs_say_where_each_kind_may_stand() -> None:
    page = (ROOT / "docs" / "contributing" / "generator.md").read_text("utf-8")
    rows = [[cell.strip() for cell in line.split("|")[2:-1]] for line in page.splitlines()]
    head = next(row for row in rows if row[:1] == ["kind"])
    assert tuple(head[1:]) == PLACES
    said = {
        row[0].strip("`"): {place for place, mark in zip(PLACES, row[1:], strict=True) if mark}
        for row in rows
        if len(row) == len(head) and row[0].startswith("`")
    }
    assert said == {name: {*kind.places.split()} - {"item"} for name, kind in KINDS.items()}


@pytest.mark.parametrize("place", [place for place in PLACES if place != "model"])
def test_each_parameter_is_of_its_kind(api: Api, place: str) -> None:
    if place == "push":
        params = api.channels[0].pushes[0].params
    else:
        params = next(op for op in api.operations if op.name == place).params
    kinds = {param.name: param.type.kind for param in params}
    wanted = {
        case.name or f"the_{kind.replace(' ', '_')}": kind
        for kind, case in CASES.items()
        if place in KINDS[kind].places.split()
    }
    if place == "path":
        wanted = {"word": "string", **wanted}
        del wanted["the_string"]
    assert {name: kinds[name] for name in wanted} == wanted


@pytest.mark.parametrize("body", BODIES)
def test_what_arrives_in_a_path(runs: dict[str, Arrived], body: str) -> None:
    assert runs[body].path == [text for case in cases_of("path").values() for text in texts(case)]


@pytest.mark.parametrize("body", BODIES)
def test_what_arrives_in_a_query(runs: dict[str, Arrived], body: str) -> None:
    wanted = [(name, text) for name, case in cases_of("query").items() for text in texts(case)]
    assert runs[body].query == wanted


@pytest.mark.parametrize("body", BODIES)
def test_what_arrives_in_a_header(runs: dict[str, Arrived], body: str) -> None:
    for name, case in cases_of("header").items():
        wire = f"X-{name.replace('_', '-').title()}"
        assert [runs[body].header[wire]] == texts(case), name
    assert not [name for name in runs[body].header if name.startswith("X-Maybe")]


@pytest.mark.parametrize("place", ["body", "push"])
@pytest.mark.parametrize("body", BODIES)
def test_what_arrives_as_json(runs: dict[str, Arrived], body: str, place: str) -> None:
    wanted = {name: case.json for name, case in cases_of(place).items()}
    assert getattr(runs[body], place) == wanted


@pytest.mark.parametrize("place", RECEIVED)
@pytest.mark.parametrize("body", BODIES)
def test_what_comes_back_reads_as_its_type(runs: dict[str, Arrived], body: str, place: str) -> None:
    read = runs[body].read[place]
    assert read.keys() == {**cases_of("model"), **left_out_of("model")}.keys()
    assert [name for name, is_equal in read.items() if not is_equal] == []


@pytest.mark.parametrize("checker", CHECKERS)
def test_it_is_typed_strictly(tree: Tree, checker: str) -> None:
    done = check(tree.path, checker, "poolse/_generated")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("kind", "place"), REFUSED)
def test_what_may_stand_nowhere_is_refused(tmp_path: Path, kind: str, place: str) -> None:
    write_spec(tmp_path / "spec", [(place, "another", CASES[kind])])
    with pytest.raises(SpecError, match=f"an? {kind} cannot stand in a {place}"):
        build(tmp_path / "spec")
