"""A history of an API of our own, replayed: each change is told right, generated, and used.

`history/start` is the spec as it began, with code that somebody wrote for it. Each `.diff` is the
next change; above it stands what it means, and what becomes of that code.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

import pytest

from tests.codegen.apply_hunks import apply
from tests.codegen.project_copy import Tree, plant
from tests.codegen.spec_history import History, Step, generate, is_done, read

pytestmark = pytest.mark.tools

HERE: Final = Path(__file__).with_name("history")
ROW: Final = {
    "id": "r",
    "number": 1,
    "title": "Soup",
    "minutes": 20,
    "level": "hard",
    "author": "Ada",
    "text": "Stir.",
    "name": "Ada",
    "surprise": [1, {"more": None}],
}
UNTOUCHED: Final = ("find", "pages", "create", "show", "delete", "add", "add_one", "let_in")
KITCHEN: Final = History(HERE)
STEPS: Final = KITCHEN.steps


def used_after(step: Step) -> list[str]:
    """What the old code prints: twice, for both flavours, then about events."""
    odd = dict(line.split(" ") for line in step.said.get("use", []))
    calls = [f"{name} {odd.get(name, 'ok')}" for name in UNTOUCHED]
    return [*calls, *calls, f"hear {odd.get('hear', 'ok')}"]


class Kitchen(BaseHTTPRequestHandler):
    """A server that answers everything with all that it has, also what no client knows."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", "0")))
        # The cursor that came with the second page shows that the first one was read.
        rows = [] if "after=" in self.path else [ROW]
        content = json.dumps({**ROW, "data": rows}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = answer  # noqa: N815  (so the base class calls them)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def kitchen() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Kitchen)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def use(tree: Tree, url: str) -> list[str]:
    """What becomes of the old code."""
    return tree.python("-c", (KITCHEN.start / "use.py.txt").read_text("utf-8"), url).splitlines()


def test_there_are_enough_of_them_and_each_verdict() -> None:
    assert len(STEPS) >= 8
    assert {step.said["verdict"][0] for step in STEPS} == {"patch", "minor", "major"}


@pytest.mark.parametrize("number", range(len(STEPS)), ids=KITCHEN.names)
def test_a_change_is_reported_right(tmp_path: Path, number: int) -> None:
    KITCHEN.check(number, tmp_path)


def test_old_code_works_with_the_client_that_it_was_written_for(
    tmp_path: Path, kitchen: str
) -> None:
    tree = plant(tmp_path / "tree", spec=KITCHEN.start)
    generate(tree)
    assert use(tree, kitchen) == used_after(Step("start", "", {}))


@pytest.mark.parametrize("number", range(len(STEPS)), ids=KITCHEN.names)
def test_what_did_not_change_still_works(tmp_path: Path, kitchen: str, number: int) -> None:
    tree = plant(tmp_path / "tree", spec=KITCHEN.spec_after(number, tmp_path / "spec"))
    generate(tree)
    apply(tree.path / "spec", STEPS[number].change)
    follows = any(path.startswith("poolse/_generated/") for path in generate(tree))
    assert is_done(tree)
    assert follows or STEPS[number].said["verdict"] == ["patch"]
    assert use(tree, kitchen) == used_after(STEPS[number])


CODE: Final = sorted((HERE / "code").glob("*.diff"))


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return plant(tmp_path_factory.mktemp("ours") / "tree", git=True)


@pytest.mark.parametrize("path", CODE, ids=[path.stem for path in CODE])
def test_a_change_of_what_is_written_by_hand_is_reported_right(ours: Tree, path: Path) -> None:
    """Of our own project: each patch alone, compared as a maintainer does."""
    step = read(path)
    ours.git("checkout", "--quiet", ".")
    apply(ours.path, step.change)
    ours.generate()
    found = json.loads(ours.diff("--base", "start", "--json", "--old-version", "1.0.0"))
    told = [f"{c['verdict']}: {c['rule']}: {c['text']}" for c in found["changes"]]
    assert told == step.said["told"]
    assert [found["verdict"]] == step.said["verdict"]
    assert found["wire"] == []
