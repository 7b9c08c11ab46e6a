"""What a reader does in a terminal: the commands of a page, and what they print."""

from __future__ import annotations

import doctest
import importlib.util
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from poolse.testing import Sandbox
from tests.architecture.tree import ROOT
from tests.docs.code_blocks import Block

__all__ = ["PATIENCE", "Terminal"]

PATIENCE: Final = 60.0
BACKGROUND: Final = re.compile(r"run as (\w+), in the background")
PROJECT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PLUGINS: Final = ("-p", "no:cacheprovider", "-p", "no:poolse", "-p", "poolse.testing.plugin")
"""Ours by its module: the tests do not know what is installed."""
REQUIREMENT: Final = re.compile(r"(\w+)(?:\[([\w,]+)\])?")


class Terminal:
    """A folder, and a sandbox that the environment points to; alice is signed in."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self._sandbox = sandbox
        self._folder = folder
        self._running: list[subprocess.Popen[str]] = []

    def python(self, *arguments: str, typed: str = "", status: int = 0) -> str:
        """What a run of Python prints. It must end as expected, and complain of nothing."""
        done = subprocess.run(
            [sys.executable, "-W", "error", *arguments],
            cwd=self._folder,
            env=self._environment("alice"),
            input=typed,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        # Python only prints it, whatever -W says.
        assert "was never awaited" not in done.stderr, done.stderr
        return done.stdout

    def leave_running(
        self, *arguments: str, until: Callable[[], bool], user: str = "alice"
    ) -> None:
        """Start Python in the background, and wait until something is so."""
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self._folder,
            env=self._environment(user),
            stderr=subprocess.PIPE,
            text=True,
        )
        self._running.append(process)
        give_up = time.monotonic() + PATIENCE
        while not until():
            assert process.poll() is None
            assert time.monotonic() < give_up
            time.sleep(0.05)

    def stop(self, complaint: str = "") -> None:
        """Ctrl-C for what was left running. It ends without a traceback, or complains as said."""
        for process in self._running:
            process.send_signal(signal.SIGINT)
            _, complaints = process.communicate(timeout=PATIENCE)
            assert process.returncode == 0, complaints
            assert complaint in complaints if complaint else not complaints, complaints
        self._running.clear()

    def enter(self, block: Block) -> None:
        """Type all commands of a block, and compare what they print with what it says."""
        for command, expected in commands(block.code):
            background = BACKGROUND.fullmatch(block.note)
            if background:
                plain = command.removeprefix(f"POOLSE_TOKEN=$(poolse token {background[1]}) ")
                self._leave_running(shlex.split(plain.removesuffix(" &")), background[1])
                continue
            printed = self._run(command)
            if expected:
                assert is_as_told(printed, expected), f"{command}\n{printed}"

    def close(self) -> None:
        """End what is still running."""
        for process in self._running:
            process.kill()
            process.wait(PATIENCE)

    def _environment(self, user: str) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "POOLSE_API_URL": self._sandbox.url,
            "POOLSE_API_KEY": self._sandbox.api_key,
            "POOLSE_TOKEN": self._sandbox.token(user),
        }

    def _leave_running(self, command: Sequence[str], user: str) -> None:
        assert command[0] == "python"
        topic = f"user:{self._sandbox.user_id(user)}"
        self.leave_running(*command[1:], until=lambda: topic in self._sandbox.joins, user=user)

    def _run(self, command: str) -> str:
        match shlex.split(command):
            case ["pip", "install", *requirements]:
                return install(requirements)
            case ["make", target]:
                assert f"\n{target}:" in (ROOT / "Makefile").read_text("utf-8"), command
                return ""
            case ["poolse", "sandbox", *options]:
                return self._serve(options)
            case ["eval", "$(poolse sandbox --env)"]:
                return ""
            case ["poolse", name, *_]:
                return self.python("-m", "poolse.cli", name, "--help")
            case ["python", "-m", "pytest", *rest]:
                return self.python("-m", "pytest", *PLUGINS, *rest)
            case [".", *_]:
                return ""
            case ["python" | "python3", "-m", module, *_]:
                assert importlib.util.find_spec(module), command
                return ""
            case ["python", *rest]:
                return self.python(*rest)
            case _:
                raise AssertionError(
                    f"say in tests/docs/terminal_sessions.py how to run: {command}"
                )

    def _serve(self, options: list[str]) -> str:
        """Start a sandbox, read what it says, and end it."""
        # Whatever the page says, the port has to be free here.
        process = subprocess.Popen(
            [sys.executable, "-m", "poolse.cli", "sandbox", *options, "--port", "0"],
            cwd=self._folder,
            env=self._environment("alice"),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "sandbox --env" in line:
                break
        process.send_signal(signal.SIGINT)
        with process.stdout:
            assert process.wait(PATIENCE) == 0
        return re.sub(r"(127\.0\.0\.1):\d+", r"\1:4000", said)


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Each command and what is said to be printed."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        yield command, printed


def install(requirements: Sequence[str]) -> str:
    """Nothing is installed by a test, but what is asked for must exist."""
    for requirement in requirements:
        found = REQUIREMENT.fullmatch(requirement)
        assert found, requirement
        name, extras = found.groups()
        if name == PROJECT["project"]["name"]:
            known = PROJECT["project"]["optional-dependencies"]
            assert set((extras or "").split(",")) - {""} <= known.keys(), requirement
        else:
            assert importlib.util.find_spec(name), requirement
    return ""


def is_as_told(printed: str, told: str) -> bool:
    """Whether they are the same, but for what `…` stands for."""
    return doctest.OutputChecker().check_output(
        told.replace("…", "...").strip() + "\n",
        printed.strip() + "\n",
        doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE,
    )
