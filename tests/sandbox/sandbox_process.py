"""`poolse sandbox` as a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

COMMAND = [sys.executable, "-W", "error", "-m", "poolse.cli", "sandbox"]


@dataclass
class Running:
    """The process, and what it said when it was up."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list[str])
    exported: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Each name with its values."""

    @property
    def url(self) -> str:
        return self.exported["POOLSE_API_URL"][0]


@contextmanager
def running(*arguments: str) -> Generator[Running]:
    """Start it, wait until it has said everything, and kill it at the end."""
    pipe = subprocess.PIPE
    with subprocess.Popen([*COMMAND, *arguments], stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        told = Running(process)
        while not (told.lines and "sandbox --env" in told.lines[-1]):
            line = process.stdout.readline()
            assert line or process.poll() is None
            told.lines.append(line.strip())
            if found := re.fullmatch(r"  export (\w+)=(\S+)\n", line):
                told.exported.setdefault(found[1], []).append(found[2])
        try:
            yield told
        finally:
            process.kill()
