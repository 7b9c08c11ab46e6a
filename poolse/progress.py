"""A bar that shows people how far an upload or a download has come."""

from __future__ import annotations

import sys
import weakref
from typing import Final, TextIO

from poolse._support.closing import Closing

__all__ = ["ProgressBar", "progress_bar"]

WIDTH: Final = 30


class ProgressBar(Closing):
    """Draws progress on a terminal. Made by `progress_bar`, given as `on_progress`."""

    def __init__(self, description: str, file: TextIO) -> None:
        self._description = description
        self._file = file
        self._bar: _RichBar | _TextBar | None = None

    def __call__(self, loaded: int, total: int) -> None:
        """So many bytes of so many are through. When all are, the bar is finished."""
        if not self._file.isatty():
            return
        if self._bar is None:
            self._bar = _bar(self._description, self._file)
        self._bar.show(loaded, total)
        if loaded >= total:
            self.close()

    def close(self) -> None:
        """Leave the bar as it is, and the terminal to others. Calling it again does nothing."""
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.end()


def progress_bar(description: str = "", file: TextIO | None = None) -> ProgressBar:
    """What draws the progress of an upload or a download, to be given as `on_progress`.

    With rich, when it is installed, else as plain text. Where nobody looks, because `file` is no
    terminal, it draws nothing. As a context manager it also tidies up after a transfer that
    failed.

    Args:
        description: Stands before the bar.
        file: Where it is drawn; standard error, when left out.

    Example:
        >>> with progress_bar("cat.png") as bar:
        ...     chat.attachments.upload(Path("cat.png"), on_progress=bar)
    """
    return ProgressBar(description, sys.stderr if file is None else file)


def _bar(description: str, file: TextIO) -> _RichBar | _TextBar:
    try:
        return _RichBar(description, file)
    except ImportError:
        return _TextBar(description, file)


class _TextBar:
    def __init__(self, description: str, file: TextIO) -> None:
        self._start = f"\r{description} " if description else "\r"
        self._file = file

    def show(self, loaded: int, total: int) -> None:
        share = loaded / total if total else 1.0
        bar = ("#" * round(share * WIDTH)).ljust(WIDTH, ".")
        self._file.write(f"{self._start}[{bar}] {share:4.0%} of {_size(total)}")
        self._file.flush()

    def end(self) -> None:
        self._file.write("\n")
        self._file.flush()


class _RichBar:
    def __init__(self, description: str, file: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
        from rich.progress import TransferSpeedColumn as Speed

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            Speed(),
        )
        # Drawn when there is news: a thread that draws might never be told to end.
        self._progress = Progress(*columns, console=Console(file=file), auto_refresh=False)
        self._task = self._progress.add_task(description, total=None)
        self._progress.start()
        # It hides the cursor, which has to come back in any case.
        self._stop = weakref.finalize(self, self._progress.stop)

    def show(self, loaded: int, total: int) -> None:
        self._progress.update(self._task, completed=loaded, total=total, refresh=True)

    def end(self) -> None:
        self._stop()


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            break
        count /= 1000
    return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
