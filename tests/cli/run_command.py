"""The command in this process, and as one of its own, against a sandbox."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest

from poolse import Message, Poolse
from poolse.cli import main
from poolse.testing import Sandbox

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-W", "error", "-m", "poolse.cli"]

PATIENCE = 40.0
"""Seconds that a process may take."""


@attrs.frozen
class Called:
    """What came of it."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Errors and notes, without the line breaks of a narrow terminal."""
        return " ".join(self.err.split())

    @property
    def json(self) -> dict[str, Any]:
        """Of the one line that it printed."""
        value: dict[str, Any] = json.loads(self.out)
        return value


@attrs.frozen
class Command:
    """`poolse`, for alice, who has a conversation with bob."""

    sandbox: Sandbox
    conversation: str
    home: Path
    patch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str, stdin: str | None = None, **environ: str | None) -> Called:
        """Run it in this process. A variable that is None is not set."""
        with self.patch.context() as patch:
            for name, value in self.environ(**environ).items():
                patch.setenv(name, value)
            for name in environ:
                if environ[name] is None:
                    patch.delenv(name, raising=False)
            patch.setattr("sys.stdin", io.StringIO(stdin or ""))
            self.capsys.readouterr()
            try:
                code = main(arguments)
            except SystemExit as ended:
                code = int(str(ended.code))
        out, err = self.capsys.readouterr()
        return Called(code, out, err)

    def environ(self, **more: str | None) -> dict[str, str]:
        """What it needs to know, and nothing of this machine."""
        wanted = {
            "POOLSE_API_URL": self.sandbox.url,
            "POOLSE_API_KEY": self.sandbox.api_key,
            "POOLSE_TOKEN": self.sandbox.token("alice"),
            "XDG_CONFIG_HOME": str(self.home),
            "HOME": str(self.home),
            "TERM": "xterm-256color",
            "TZ": "UTC",
            **more,
        }
        return {name: value for name, value in wanted.items() if value is not None}

    @contextmanager
    def process(
        self, *arguments: str, environ: Mapping[str, str | None] | None = None
    ) -> Generator[subprocess.Popen[str]]:
        """Run it as a process, which is killed at the end if it did not end."""
        plain = {name: value for name, value in os.environ.items() if name.startswith("P")}
        plain = {name: value for name, value in plain.items() if not name.startswith("POOLSE")}
        pipe = subprocess.PIPE
        with subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            text=True,
            cwd=self.home,
            env={**plain, "PYTHONPATH": str(ROOT), **self.environ(**(environ or {}))},
        ) as process:
            # Whoever waits for a line of a process that hangs is told that there is none.
            watchdog = threading.Timer(PATIENCE, process.kill)
            watchdog.start()
            try:
                yield process
            finally:
                watchdog.cancel()
                process.kill()
                watchdog.join()

    @contextmanager
    def chat(self, external_id: str = "alice") -> Generator[Poolse]:
        """A client of one of the two."""
        with Poolse(api_url=self.sandbox.url, token=self.sandbox.token(external_id)) as chat:
            yield chat

    def said(self, *bodies: str, by: str = "alice") -> list[Message]:
        """Send these."""
        with self.chat(by) as chat:
            messages = chat.conversations.one(self.conversation).messages
            return [messages.send(body=body) for body in bodies]

    @property
    def bodies(self) -> list[str | None]:
        """What the conversation says, oldest first."""
        with self.chat() as chat:
            rows = chat.conversations.one(self.conversation).messages.iter()
            return [row.body for row in rows][::-1]
