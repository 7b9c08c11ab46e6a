"""The official JavaScript client of Phoenix, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from poolse.testing import Sandbox
from tests.sandbox.raw_clients import User

__all__ = ["HERE", "Client", "official_client"]

HERE = Path(__file__).parent
PATIENCE = 30.0
"""Seconds after which a client that says nothing is ended, and the test with it."""


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
def official_client(
    sandbox: Sandbox, user: User, topic: str, token: str | None = None
) -> Generator[Client]:
    arguments = ["node", "phoenix_client.mjs", sandbox.ws_url, token or user.token, topic]
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
