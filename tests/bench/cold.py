"""Targets 8, 9 and 12: what has to start first."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from tests.bench.canned_rows import JWT
from tests.bench.worker import Measure, Prepared

STARTS: Final = 5
"""Of one measurement, each with a bare interpreter beside it."""


PLAIN: Final = (
    "import sys; sys.modules.update(click=None, pygments=None, rich=None, sniffio=None)\n"
)
"""Hides what `pip install httpx` does not bring: httpx's own command line loads half of it."""


WRITES: Final = {
    name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
}
"""The environment in which Python keeps what it has compiled, as pip does when it installs."""


def seconds(*command: str) -> float:
    """That a process takes from start to end."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL, env=WRITES)
    return time.perf_counter() - start


@contextmanager
def above_bare(code: str) -> Generator[Measure]:
    """Seconds above those of an interpreter that does nothing."""

    def measure() -> float:
        pairs = [(seconds("-c", PLAIN), seconds("-c", PLAIN + code)) for _ in range(STARTS)]
        return statistics.median(after - before for before, after in pairs)

    yield measure


@contextmanager
def whole(*command: str) -> Generator[Measure]:
    """Seconds from the start of the interpreter to its end."""
    yield lambda: statistics.median(seconds(*command) for _ in range(STARTS))


def import_httpx(_: str) -> Prepared:
    """`import httpx`."""
    return above_bare("import httpx")


def import_poolse(_: str) -> Prepared:
    """`import poolse`."""
    return above_bare("import poolse")


def script_httpx(base: str) -> Prepared:
    """`httpx.Client.get(url).json()`, from a cold interpreter."""
    code = f"""
import httpx
with httpx.Client() as client:
    client.get({base + "/v1/me"!r}).json()
"""
    return whole("-c", PLAIN + code)


def script_poolse(base: str) -> Prepared:
    """`me.show()`, from a cold interpreter."""
    code = f"""
from poolse import Poolse
with Poolse(token={JWT!r}, api_url={base!r}) as chat:
    chat.me.show()
"""
    return whole("-c", PLAIN + code)


@contextmanager
def generate(_: str) -> Generator[Measure]:
    """`python -m codegen`, which is what `make generate` runs."""
    yield lambda: seconds("-m", "codegen")
