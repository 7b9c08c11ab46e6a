"""The command on a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Generator
from contextlib import contextmanager

from tests.cli.run_command import COMMAND, PATIENCE, ROOT, Command

__all__ = ["Terminal", "on_terminal", "visible"]

LEAD = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
"""Makes the terminal the one whose Ctrl-C counts, and becomes the command."""


def visible(text: str) -> str:
    """What was to be seen, at one time or another."""
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    return re.sub(r"\r\n?", "\n", shown)


class Terminal:
    """The end of it where a person sits."""

    def __init__(self, end: int, process: subprocess.Popen[bytes]) -> None:
        self._end = end
        self._process = process
        self.raw = ""
        """All that was written."""

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._end, text.encode())

    def wait_for(self, text: str) -> None:
        """Wait until this was written."""
        deadline = time.monotonic() + PATIENCE
        while text not in visible(self.raw):
            assert self._more(deadline), visible(self.raw)

    def end(self) -> int:
        """Wait until the process has ended, and give back its exit code."""
        deadline = time.monotonic() + PATIENCE
        while self._more(deadline):
            pass
        return self._process.wait(1)

    def hang_up(self) -> int:
        """Close the window, wait until the process has ended, and give back its exit code."""
        os.close(self._end)
        self._end = -1
        return self._process.wait(PATIENCE)

    def close(self) -> None:
        """Close this end."""
        if self._end >= 0:
            os.close(self._end)

    def _more(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._end], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            piece = os.read(self._end, 65536)
        except OSError:  # how Linux says that the other end is closed
            return False
        self.raw += piece.decode("utf-8", "replace")
        return bool(piece)


@contextmanager
def on_terminal(
    command: Command, *arguments: str, columns: int = 80, **environ: str
) -> Generator[Terminal]:
    """Run it there."""
    person, program = pty.openpty()
    fcntl.ioctl(program, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    known = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **command.environ(), **environ}
    with subprocess.Popen(
        [sys.executable, "-ISc", LEAD, *COMMAND[1:], *arguments],
        stdin=program,
        stdout=program,
        stderr=program,
        cwd=command.home,
        env=known,
        start_new_session=True,
    ) as process:
        os.close(program)
        terminal = Terminal(person, process)
        try:
            yield terminal
        finally:
            process.kill()
            terminal.close()
