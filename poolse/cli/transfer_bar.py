"""The progress bar of a file that is uploaded."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

__all__ = ["transfer_bar"]


@contextmanager
def transfer_bar(description: str) -> Generator[Callable[[int, int], None]]:
    """Draw a progress bar on standard error, if that is a terminal. It is gone at the end.

    Yields:
        What `on_progress` of an upload takes.
    """
    if not sys.stderr.isatty():
        yield lambda _loaded, _total: None
        return
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from poolse.cli.console import Console

    name = TextColumn("{task.description}", markup=False)
    columns = (name, BarColumn(), DownloadColumn(), TimeRemainingColumn())
    # Drawn when there is news, so that no thread is needed.
    bar = Progress(*columns, console=Console(stderr=True), auto_refresh=False, transient=True)

    def show(loaded: int, total: int) -> None:
        task = bar.task_ids[0] if bar.task_ids else bar.add_task(description, total=total)
        bar.update(task, completed=loaded, refresh=True)

    with bar:
        yield show
