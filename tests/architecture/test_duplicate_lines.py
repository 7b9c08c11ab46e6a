"""Law 2: a decision exists once, so the two bodies have little in common. See `twins.py`."""

from __future__ import annotations

import pytest

from tests.architecture.duplicate_lines import share, shared, statements
from tests.architecture.tree import ROOT

MOST = 0.40
"""Of the sync body's statements that its async twin may repeat."""


@pytest.mark.parametrize("room", ["_http", "_realtime"])
def test_bodies_repeat_each_other_little(room: str) -> None:
    def sources(pattern: str) -> list[str]:
        return [path.read_text("utf-8") for path in sorted((ROOT / "poolse" / room).glob(pattern))]

    sync, aio = sources("sync*.py"), sources("aio*.py")
    assert share(sync, aio) <= MOST, "\n".join(["these stand in both:", *shared(sync, aio)])


SYNC = '''
"""A body."""
import socket

class Body(Closing):
    """Hands."""
    def close(self) -> None:
        """Close."""
        if self.state is OPEN:
            with self.lock:
                self.link.close()
        self.thread.join()
    def __enter__(self) -> Body:
        return self
'''

AIO = '''
"""Another."""
import asyncio

class AsyncBody(AsyncClosing):
    """Other hands."""
    async def aclose(self) -> None:
        """Close, later."""
        if self.state is OPEN:
            async with self.lock:
                await self.link.aclose()
        await asyncio.wait(self.task)
    async def __aenter__(self) -> AsyncBody:
        return self
'''


def test_colour_makes_no_difference() -> None:
    assert shared([SYNC], [AIO]) == [
        "if self.state is OPEN",
        "return self",
        "self.link.close()",
        "with self.lock",
    ]
    assert len(list(statements(SYNC))) == 5
    assert share([SYNC], [AIO]) == 4 / 5


def test_a_statement_counts_as_often_as_both_have_it() -> None:
    assert share(["x = 1\nx = 1\nx = 1\n"], ["x = 1\n"]) == pytest.approx(1 / 3)  # pyright: ignore[reportUnknownMemberType]
