"""The official JavaScript client of Phoenix takes the sandbox for a Phoenix server."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from poolse.testing import Sandbox
from tests.sandbox.peers import User, users_of

HERE = Path(__file__).parent
PATIENCE = 30.0
"""Seconds after which a client that says nothing is ended, and the test with it."""


@pytest.fixture(scope="module")
def packages() -> None:
    """Install what the lock file names, unless that has been done."""
    done = HERE / "node_modules" / ".package-lock.json"
    if not done.exists() or done.stat().st_mtime < (HERE / "package-lock.json").stat().st_mtime:
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=HERE, check=True, capture_output=True)


class Client:
    """A process that runs the client."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def tell(self, *command: object) -> None:
        """Give it a command."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()

    def says(self, what: str) -> object:
        """Read on until it says this, and give the detail."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said, detail = json.loads(line)
            if said == what:
                return detail
        raise AssertionError(f"the client ended without saying {what!r}")


@contextmanager
def official_client(sandbox: Sandbox, user: User, topic: str) -> Generator[Client]:
    arguments = ["node", "phoenix_client.mjs", sandbox.ws_url, user.token, topic]
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, cwd=HERE, stdin=pipe, stdout=pipe, text=True) as process:
        watchdog = threading.Timer(PATIENCE, process.kill)
        watchdog.start()
        try:
            yield Client(process)
        finally:
            watchdog.cancel()
            process.kill()
            watchdog.join()


@pytest.fixture
def alice(sandbox: Sandbox) -> Iterator[User]:
    """A user with a raw client."""
    with users_of(sandbox) as new_user:
        yield new_user("alice")


@pytest.mark.usefixtures("packages")
def test_join_push_presence_and_reconnect(sandbox: Sandbox, alice: User) -> None:
    with users_of(sandbox) as new_user:
        bob = new_user("bob")
        talk = alice.conversation("bob")
        topic = f"conversation:{talk}"
        phone = alice.phone()
        phone.join(topic)
        with official_client(sandbox, bob, topic) as client:
            assert client.says("joined") == {}
            assert client.says("present") == [[alice.id, 1], [bob.id, 1]]
            assert phone.hear()[3] == "presence_diff"
            client.tell("push", "typing", {})
            assert phone.hear()[3:] == ["typing:start", {"user_id": bob.id}]
            phone.send("1", "2", topic, "typing", {})
            assert client.says("typing") == alice.id
            alice.send(talk, body="hello 😀")
            assert client.says("message") == "hello 😀"

            sandbox.faults.drop_sockets()
            assert client.says("closed") == 1006
            assert client.says("present") == [[bob.id, 1]]
            alice.send(talk, body="again")
            assert client.says("message") == "again"

            client.tell("leave")
            client.says("left")
            sandbox.wait_for(lambda: sandbox.joins == [topic] * 3)


@pytest.mark.parametrize("fault", ["crash", "unknown event", "refused once", "403 once"])
@pytest.mark.usefixtures("packages")
def test_it_joins_again(sandbox: Sandbox, alice: User, fault: str) -> None:
    topic = f"conversation:{alice.conversation()}"
    if fault == "refused once":
        sandbox.faults.refuse_joins("not now")
    if fault == "403 once":
        sandbox.faults.refuse_handshakes()
    with official_client(sandbox, alice, topic) as client:
        if fault == "refused once":
            assert client.says("refused") == {"reason": "not now"}
        if fault == "403 once":
            assert client.says("closed") == 1006
        assert client.says("present") == [[alice.id, 1]]
        if fault == "crash":
            sandbox.faults.crash(topic)
        if fault == "unknown event":
            client.tell("push", "boom", {})
        if fault in {"crash", "unknown event"}:
            assert client.says("errored") == {"reason": "channel_crash"}
            assert client.says("present") == [[alice.id, 1]]


@pytest.mark.usefixtures("packages")
def test_a_closed_channel_is_left_for_good(sandbox: Sandbox, alice: User) -> None:
    topic = f"conversation:{alice.conversation()}"
    with official_client(sandbox, alice, topic) as client:
        assert client.says("present") == [[alice.id, 1]]
        sandbox.faults.close_channel(topic)
        client.says("left")
        sandbox.faults.drop_sockets(1001)
        assert client.says("closed") == 1001
        client.says("open")
        assert sandbox.joins == [topic]
