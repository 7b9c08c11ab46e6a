"""The history of the service itself, from our first spec to what it speaks today.

`history/service/start` is the spec of 1.1.0; each `.diff` holds what appeared with a release of
the service. No step needs more than `make generate`, and none of them breaks anything.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar, Final

import pytest

from tests.codegen.apply_hunks import apply
from tests.codegen.project_copy import Tree, plant
from tests.codegen.spec_history import History, generate, is_done
from tests.realtime.scripted_server import Frame, ok, phoenix

pytestmark = pytest.mark.tools

HERE: Final = Path(__file__).parent
SERVICE: Final = History(HERE / "history" / "service")
TYPED: Final = ("_generated", "testing/factories.py")
PROGRAMS: Final = sorted((HERE / "codemod").glob("*.py.txt"))
RELEASES: Final = ("2.0.0", "2.0.5", "2.0.9", "2.1.4", "2.2.0", "2.4.0", "2.8.0", "2.9.0", "2.10.0")
ME: Final = "0b5f9c5e-3c7e-4a37-9f0e-5d5a2f0d6c01"
TALK: Final = "5f3a1c1e-9f3b-4a52-8d0c-6b8f0e1d2c01"
ANSWERS: Final = {
    "/v1/devices": {
        "id": "2d3e4f50-8888-4999-8aaa-bbbb22223333",
        "platform": "ios",
        "environment": "production",
    },
    "/v1/ice-servers": {
        "ice_servers": [{"urls": ["turn:a", "turn:b"], "credential": "c-2"}, {"urls": "stun:c"}],
        "ttl_seconds": 3600,
    },
}
EVERYTHING: Final = """
import poolse
from poolse._generated.names import NAMES
from poolse.testing import factories

# These are written by hand for the spec as it is now.
LATER = () if "CallMedia" in NAMES else ("poolse._calls.", "poolse._voice.")
LATER += () if "ConversationUpdated" in NAMES else ("poolse._state.",)
for name in poolse.__all__:
    if not NAMES.get(name, "").startswith(LATER):
        getattr(poolse, name)
for name in factories.__all__:
    getattr(factories, name)()
"""


@pytest.fixture(scope="module")
def forest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project after each of the steps, generated."""
    folder = tmp_path_factory.mktemp("forest")
    for number, name in enumerate(SERVICE.names):
        spec = SERVICE.spec_after(number + 1, folder / "specs" / name)
        generate(plant(folder / name, spec=spec))
    return folder


def test_all_releases_with_news_are_there() -> None:
    assert tuple(dict.fromkeys(name.split("-")[1] for name in SERVICE.names)) == RELEASES
    assert {step.said["verdict"][0] for step in SERVICE.steps} == {"minor", "patch"}


@pytest.mark.parametrize("number", range(len(SERVICE.steps)), ids=SERVICE.names)
def test_a_step_is_reported_right(tmp_path: Path, number: int) -> None:
    SERVICE.check(number, tmp_path)


@pytest.mark.parametrize("name", SERVICE.names)
def test_all_of_it_can_be_imported_and_made(forest: Path, name: str) -> None:
    Tree(forest / name).python("-c", EVERYTHING)


def test_each_step_is_typed_strictly(forest: Path) -> None:
    # One run for all: each finds the library in its own tree.
    config = {
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
        "include": [f"{name}/poolse/{part}" for name in SERVICE.names for part in TYPED],
        "executionEnvironments": [{"root": name} for name in SERVICE.names],
    }
    (forest / "pyrightconfig.json").write_text(json.dumps(config), "utf-8")
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable]
    done = subprocess.run(command, cwd=forest, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_last_one_is_typed_for_mypy(forest: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent"]
    command += ["--cache-dir=.mypy_cache", "poolse/_generated"]
    tree = forest / SERVICE.names[-1]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


class Service(BaseHTTPRequestHandler):
    """Answers requests for what the steps brought."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[str]] = []

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", "0")))
        self.asked.append(f"{self.command} {self.path}")
        content = json.dumps(ANSWERS.get(self.path, {})).encode()
        self.send_response(503 if self.path.endswith("/call-token") else 200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = answer  # noqa: N815  (so the base class calls them)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[str]:
    Service.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def says(frame: Frame) -> Iterable[object]:
    """What the socket of the service says to a push."""
    _, _, topic, event, payload = frame
    match event:
        case "call:invite":
            # As a server of 2.2.0, which knows of no media.
            call = {"call_id": "c-1", "conversation_id": payload["conversation_id"]}
            yield ok(frame, {**call, "callee_user_ids": ["u"]})
        case "call:accept":
            yield ok(frame, {"reason": "call_over"}, "error")
        case "call:busy":
            yield ok(frame, {"of": "no matter"})
            told = {"user_id": payload["caller_user_id"], **payload}
            yield [None, None, topic, event, told]
        case "voice:signal":
            yield [None, None, topic, event, {**payload, "from_user_id": "u"}]
        case _:
            pass


def test_what_came_works(forest: Path, service: str) -> None:
    program = (HERE / "history" / "service" / "use.py.txt").read_text("utf-8")
    with phoenix(says) as socket:
        tree = Tree(forest / SERVICE.names[-1])
        printed = tree.python("-c", program, service, socket.url.removesuffix("/socket"))
        sent = [frame[2:] for frame in socket.frames.items if ":" in frame[3]]
    assert printed.splitlines() == 2 * [
        "ios production None",
        "[['turn:a', 'turn:b'], 'stun:c'] False",
        "None ['u'] {'reason': 'call_over'} None True",
        "True {'candidate': 'x'} True",
    ]
    assert Service.asked == 2 * [
        "POST /v1/devices",
        "DELETE /v1/devices/apns%2Ftoken%3Fof%3Done%23device",
        # Once: there is no use in trying it again.
        f"POST /v1/conversations/{TALK}/call-token",
        "GET /v1/ice-servers",
    ]
    call = {"call_id": "c-1", "conversation_id": TALK, "caller_user_id": ME}
    assert sent == 2 * [
        [f"user:{ME}", "call:invite", {"conversation_id": TALK, "media": "video"}],
        [f"user:{ME}", "call:accept", call],
        [f"user:{ME}", "call:busy", call],
        [f"voice:conversation:{TALK}", "voice:join", {"muted": True, "speaking": False}],
        [
            f"voice:conversation:{TALK}",
            "voice:signal",
            {"type": "ice-candidate", "target_user_id": ME, "data": {"candidate": "x"}},
        ],
    ]


def test_old_programs_have_nothing_to_rename(tmp_path: Path) -> None:
    tree = plant(tmp_path / "tree", spec=SERVICE.start)
    generate(tree)
    tree.git("init", "--quiet")
    tree.commit("start")
    for step in SERVICE.steps:
        apply(tree.path / "spec", step.change)
    generate(tree)
    assert is_done(tree)
    found = json.loads(tree.diff("--base", "start", "--json", "--codemod", "upgrade.py"))
    assert found["verdict"] == "minor"
    for path in PROGRAMS:
        (tree.path / path.stem).write_text(path.read_text("utf-8"), "utf-8")
    assert tree.python("upgrade.py", *(path.stem for path in PROGRAMS)) == ""
    for path in PROGRAMS:
        assert (tree.path / path.stem).read_text("utf-8") == path.read_text("utf-8")
