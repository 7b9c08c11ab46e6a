"""Code exists once: few lines of the package occur twice. `make duplicates` lists them."""

from __future__ import annotations

from tests.architecture.duplicate_lines import Run, lines_of, package_runs, runs, total

MOST = 70
"""Lines that may occur twice. The goal is 60: whoever removes some lowers it."""


def test_few_lines_occur_twice() -> None:
    found = package_runs()
    assert total(found) <= MOST, "\n".join(map(str, found))


SYNC = '''
"""A module."""
import socket

class Body(Closing):
    """A class."""
    def close(self) -> None:
        """Close."""
        if self.state is OPEN:
            with self.lock:
                self.link.close()  # both
        self.thread.join()
'''

ASYNC = '''
"""Another."""

class AsyncBody(AsyncClosing):
    async def aclose(self) -> None:
        """Close, later."""
        # A comment.
        if self.state is OPEN:

            async with self.lock:
                await self.link.aclose()
        await asyncio.wait(self.task)
'''


def test_what_is_compared() -> None:
    assert [line.text for line in lines_of(SYNC)] == [
        "class Body(Closing):",
        "def close(self) -> None:",
        "if self.state is OPEN:",
        "with self.lock:",
        "self.link.close()",
        "self.thread.join()",
    ]


def test_a_pair_of_modules() -> None:
    assert runs({"async": ASYNC, "sync": SYNC}) == [Run("async", 4, "sync", 5, 5, counted=5)]
    assert runs({"a": "x = 1\ny = 2\n", "b": "x = 1\ny = 2\n"}) == []


def numbered(*numbers: int) -> str:
    return "\n".join(f"x = {number}" for number in numbers)


def test_one_module() -> None:
    found = runs({"a": numbered(0, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 7)})
    assert found == [Run("a", 2, "a", 8, 5, counted=5)]
    assert total(runs({"a": numbered(*[1] * 10)})) == 5


def test_of_three_places_two_are_too_many() -> None:
    once = numbered(1, 2, 3, 4, 5)
    assert total(runs({"a": once, "b": once, "c": f"{once}\nx = 0"})) == 10


def test_a_line_counts_once() -> None:
    """In `c` the runs with `a` and with `b` overlap in the lines 3 to 5."""
    sources = {
        "a": numbered(1, 2, 3, 4, 5, 6),
        "b": numbered(9, 3, 4, 5, 6, 7, 8),
        "c": numbered(1, 2, 3, 4, 5, 6, 7, 8),
    }
    assert [(run.length, run.counted) for run in runs(sources)] == [(6, 6), (6, 2)]
