"""A bar that shows how far an export has come."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

__all__ = ["Counter", "counting"]

Counter = Callable[[int], None]
"""Called with how many of all are done."""


@contextmanager
def counting(total: int) -> Generator[Counter]:
    """Draw it on standard error, if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Drawn when there is news, so that no thread is needed; and gone when it is done.
    bar = Progress(*columns, console=Console(stderr=True), auto_refresh=False, transient=True)
    with bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done, refresh=True)
