"""How much Python work something is: calls of Python functions, which no busy machine changes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

import attrs

__all__ = ["Count", "calls_of"]


@attrs.define
class Count:
    """Calls of Python functions in one thread."""

    all: float = 0
    ours: float = 0
    """Those of functions of the library itself."""


def calls_of(work: Callable[[], object], times: int, each: int = 1) -> Count:
    """What is called each time that the work is done, or for each of its `each` parts."""
    count = Count()

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            count.all += 1
            count.ours += str(frame.f_globals.get("__name__")).startswith("poolse.")

    work()  # what is loaded and kept the first time is no matter of the other times
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        for _ in range(times):
            work()
    finally:
        sys.setprofile(before)
    return Count(count.all / times / each, count.ours / times / each)
