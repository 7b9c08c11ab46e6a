"""One side of a comparison in a process of its own, so that neither side loads what it lacks.

`python -m tests.bench.worker MODULE:SIDE BASE` prints what the side measures, once for each line
that it reads.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import cast

__all__ = ["Measure", "Prepared", "Side", "worker"]

Measure = Callable[[], float]
Prepared = AbstractContextManager[Measure]
Side = Callable[[str], Prepared]
"""Given the URL of the canned server, makes ready what `Measure` then measures."""


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
def worker(side: str, base: str) -> Generator[Measure]:
    """Start the process of a side."""
    command = [sys.executable, "-m", "tests.bench.worker", side, base]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1) as process:
        asks, says = process.stdin, process.stdout
        assert asks is not None
        assert says is not None

        def measure() -> float:
            asks.write("\n")
            said = says.readline()
            if not said:
                raise RuntimeError(f"{side} ended: see above")
            return float(said)

        try:
            yield measure
        finally:
            asks.close()


def main(name: str, base: str) -> None:
    # What `pip install httpx` leaves out: httpcore is quicker where it finds it.
    sys.meta_path.insert(0, Without("sniffio"))
    module, _, function = name.partition(":")
    side = cast(Side, getattr(import_module(module), function))
    with side(base) as measure:
        measure()  # warms up
        for _ in sys.stdin:
            print(measure(), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
