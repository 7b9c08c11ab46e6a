"""Progress bars for uploads and downloads."""

from __future__ import annotations

import sys
import weakref
from typing import Final, TextIO

from poolse._support.context_manager import Closing

__all__ = ["ProgressBar", "progress_bar"]

WIDTH: Final = 30


class ProgressBar(Closing):
    """Progress bar on a terminal. Create it with `progress_bar` and pass it as `on_progress`."""

    def __init__(self, description: str, file: TextIO) -> None:
        self._description = description
        self._file = file
        self._bar: _RichBar | _TextBar | None = None

    def __call__(self, loaded: int, total: int) -> None:
        """Show the number of transferred bytes. The bar is finished if they equal the total."""
        if not self._file.isatty():
            return
        if self._bar is None:
            self._bar = _bar(self._description, self._file)
        self._bar.show(loaded, total)
        if loaded >= total:
            self.close()

    def close(self) -> None:
        """End the bar and release the terminal. Calling it again has no effect."""
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.end()


def progress_bar(description: str = "", file: TextIO | None = None) -> ProgressBar:
    """Return a progress bar to pass as `on_progress` of an upload or a download.

    Uses rich if it is installed, else plain text. Draws nothing if `file` is not a terminal. Use it
    as a context manager, so that a failed transfer also ends the bar.

    Args:
        description: Text before the bar.
        file: Stream to draw on. Default: standard error.

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

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            # rich's own column draws a `?` until the speed is known.
            TextColumn("{task.fields[speed]}", style="progress.data.speed"),
        )
        # Drawn on each call: a drawing thread might never be stopped.
        self._progress = Progress(*columns, console=Console(file=file), auto_refresh=False)
        self._task = self._progress.add_task(description, total=None, speed="")
        self._progress.start()
        # rich hides the cursor, which must be restored in any case.
        self._stop = weakref.finalize(self, self._progress.stop)

    def show(self, loaded: int, total: int) -> None:
        self._progress.update(self._task, completed=loaded, total=total)
        task = self._progress.tasks[0]
        speed = task.finished_speed or task.speed
        text = f"{_size(speed)}/s" if speed else ""
        self._progress.update(self._task, speed=text, refresh=True)

    def end(self) -> None:
        self._stop()


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            break
        count /= 1000
    return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
