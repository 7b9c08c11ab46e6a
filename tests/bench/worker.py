"""One side of a comparison in a process of its own, so that neither side loads what it lacks.

`python -m tests.bench.worker MODULE:SIDE BASE` prints what the side measures and the CPU time that
it took, once for each line that it reads.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import NamedTuple, cast

__all__ = ["Measure", "Prepared", "Side", "Turn", "worker"]

Measure = Callable[[], float]
Prepared = AbstractContextManager[Measure]
Side = Callable[[str], Prepared]
"""Given the URL of the canned server, makes ready what `Measure` then measures."""


class Turn(NamedTuple):
    """What one side said in its turn."""

    value: float
    """What it measures: seconds, bytes, or a rate."""
    cpu: float
    """Seconds of CPU time, those of its child processes included."""


class Without:
    """Makes a module impossible to import, installed or not."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.partition(".")[0] == self._name:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


@contextmanager
def worker(side: str, base: str) -> Generator[Callable[[], Turn]]:
    """Start the process of a side."""
    command = [sys.executable, "-m", "tests.bench.worker", side, base]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1) as process:
        asks, says = process.stdin, process.stdout
        assert asks is not None
        assert says is not None

        def measure() -> Turn:
            asks.write("\n")
            said = says.readline()
            if not said:
                raise RuntimeError(f"{side} ended: see above")
            return Turn(*map(float, said.split()))

        try:
            yield measure
        finally:
            asks.close()


def cpu_time() -> float:
    """Seconds of this process, and of its children that have ended."""
    # Not `os.times` for both: it counts in hundredths of a second.
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def main(name: str, base: str) -> None:
    # What `pip install httpx` leaves out: httpcore is quicker where it finds it.
    sys.meta_path.insert(0, Without("sniffio"))
    module, _, function = name.partition(":")
    side = cast(Side, getattr(import_module(module), function))
    with side(base) as measure:
        measure()  # warms up
        for _ in sys.stdin:
            before = cpu_time()
            value = measure()
            print(value, cpu_time() - before, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
