"""An API of todo lists, which has nothing in common with ours: its client works, and is typed.

Its credential is a key in a header, its lists have cursors, its ids are integers, its errors stand
in a list, and its paths and its socket lie below a base path.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from tests.codegen.foreign.server import KEY, TodoServer, serving
from tests.codegen.project_copy import Tree, plant
from tests.codegen.test_generated_types import CHECKERS, check
from tests.realtime.scripted_server import Frame, Scripted, ok, phoenix

pytestmark = pytest.mark.tools

FOREIGN: Final = Path(__file__).with_name("foreign")
PRINTED: Final = """\
['Errands', 'Garden', 'Books', 'Trips']
['Errands', 'Garden', 'Books']
3 at-3
{handle}ListHandle(10) True True
Journeys None
True False None
ValidationError 422 invalid: a list needs a title {{'title': ['is blank']}}
added 2 Buy tickets
1
done 1, 1 left
NotFoundError 404 gone: no list 10 None
AuthError 401 key_unknown: no such key None https://todo.example/keys
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The library for todo lists: ours, but for what is generated."""
    folder = tmp_path_factory.mktemp("foreign")
    shutil.copytree(FOREIGN, folder / "todo", ignore=shutil.ignore_patterns("*.py*"))
    tree = plant(folder / "tree", spec=folder / "todo")
    tree.generate()
    shutil.copy(FOREIGN / "program.py.txt", tree.path / "program.py")
    config = {"typeCheckingMode": "strict"}
    (tree.path / "pyrightconfig.json").write_text(json.dumps(config), "utf-8")
    return tree


def channel(frame: Frame) -> Iterable[object]:
    """Answer a push: what the server of a list says when a task is done."""
    if frame[3] == "complete":
        done = {"task_id": frame[4]["task_id"], "left": 1}
        yield ok(frame, {"left": 1})
        yield [None, None, frame[2], "task_done", done]


def connect(todo: TodoServer, live: Scripted) -> None:
    """Let the socket carry the tasks that REST adds."""

    def told(task: dict[str, object]) -> None:
        if live.opened.items:
            live.say([None, None, f"list:{task['list_id']}", "task_added", task])

    todo.on_task = told


@pytest.mark.parametrize(("body", "handle"), [("sync", ""), ("async", "Async")])
def test_a_program_uses_it(tree: Tree, body: str, handle: str) -> None:
    with serving() as todo, phoenix(channel) as live:
        connect(todo, live)
        base = live.url.removesuffix("/socket") + "/api/v3"
        printed = tree.python("program.py", body, todo.url, base, KEY)
    assert printed == PRINTED.format(handle=handle)
    pages = [target for target in todo.asked if target.startswith("GET /api/v3/lists")][:6]
    assert pages == [
        "GET /api/v3/lists",
        "GET /api/v3/lists",
        "GET /api/v3/lists?cursor=at-2",
        "GET /api/v3/lists?limit=1&colour=green&colour=blue",
        "GET /api/v3/lists?cursor=at-1&limit=1&colour=green&colour=blue",
        "GET /api/v3/lists?cursor=at-2&limit=1&colour=green&colour=blue",
    ]
    path = f"/api/v3/live/websocket?token={KEY}&vsn=2.0.0"
    assert [connection.request.path for connection in live.opened.items] == [path]
    assert [frame[3:] for frame in live.frames.items] == [
        ["phx_join", {}],
        ["complete", {"task_id": 1}],
        ["phx_leave", {}],
    ]


@pytest.mark.parametrize("checker", CHECKERS)
def test_it_is_typed_strictly(tree: Tree, checker: str) -> None:
    done = check(tree.path, checker, "poolse/_generated", "program.py")
    assert done.returncode == 0, done.stdout
