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
    """What is called each time that the work is done, or for each of its `each` parts.

    Of several times, that with the fewest calls: on a busy machine a server replies late, and is
    waited for once more.
    """
    counts: list[Count] = []

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            counts[-1].all += 1
            counts[-1].ours += str(frame.f_globals.get("__name__")).startswith("poolse.")

    work()  # what is loaded and kept the first time is no matter of the other times
    before = sys.getprofile()
    for _ in range(times):
        counts.append(Count())
        sys.setprofile(note)
        try:
            work()
        finally:
            sys.setprofile(before)
    fewest = min(counts, key=lambda count: count.all)
    return Count(fewest.all / each, fewest.ours / each)
