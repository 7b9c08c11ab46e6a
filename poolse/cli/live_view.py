"""Output of `poolse tail` on a terminal."""

from __future__ import annotations

import zlib
from datetime import date
from typing import TYPE_CHECKING, Final, Self

from rich import console as rich_console
from rich.console import OverflowMethod, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from poolse.cli.console import Console
from poolse.cli.line_views import Status, text_of
from poolse.cli.sanitize import ascii_only, decoration, one_line

if TYPE_CHECKING:
    from poolse import Message

__all__ = ["LiveView", "can_draw"]

COLOURS: Final = ("cyan", "magenta", "green", "blue")
"""Of names: those that can be read on dark and on light."""

WIDEST_NAME: Final = 16
NARROW: Final = 50
"""Columns; below that, the time of a message is left out."""


def can_draw() -> bool:
    """Return whether the terminal can move its cursor."""
    return not Console().is_dumb_terminal


def cut_with() -> OverflowMethod:
    """Return how a line that is too long ends."""
    return "crop" if ascii_only() else "ellipsis"


class LiveView:
    """Messages scroll by, and the line at the bottom stays."""

    def __init__(self, title: str, console: rich_console.Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._title = one_line(title)
        self._name_width = 0
        self._day: date | None = None
        # Drawn when there is news, so that no thread is needed; gone when it ends.
        self._live = Live(
            console=self._console, auto_refresh=False, transient=True, vertical_overflow="crop"
        )

    def message(self, message: Message, name: str) -> None:
        """Show a message of a user with this name."""
        time = message.inserted_at.astimezone()
        if time.date() != self._day:
            self._day = time.date()
            self._console.print(Text(f"{time:%A, %d %B %Y}", "dim"))
        self._name_width = max(self._name_width, min(Text(name).cell_len, WIDEST_NAME))
        row = Table.grid(padding=(0, 1, 0, 0))
        cells: list[RenderableType] = [
            Text(name, f"bold {_colour(message.sender_id)}"),
            Text(text_of(message), "dim" if message.deleted_at else ""),
        ]
        if self._console.width >= NARROW:
            row.add_column(no_wrap=True)
            cells.insert(0, Text(f"{time:%H:%M}", "dim"))
        row.add_column(width=self._name_width, no_wrap=True, overflow=cut_with())
        row.add_column(overflow="fold")
        row.add_row(*cells)
        self._console.print(row)

    def status(self, status: Status) -> None:
        """Draw the line at the bottom."""
        self._live.update(self._line(status), refresh=True)

    def _line(self, status: Status) -> Text:
        connected = status.connection == "connected"
        parts = [Text(self._title, "bold")]
        if not connected:
            parts.append(Text(decoration(f"{status.connection} …"), "yellow"))
            if status.reason:
                parts.append(Text(status.reason, "dim"))
        elif status.here:
            parts.append(Text(f"here: {', '.join(status.here)}", "dim"))
        if status.typing:
            verb = "is" if len(status.typing) == 1 else "are"
            end = decoration(f" {verb} typing …")
            parts.append(Text(f"{' and '.join(status.typing)}{end}", "italic"))
        mark = Text(decoration("● "), "green" if connected else "yellow")
        line = mark + Text(decoration(" · ")).join(parts)
        line.no_wrap, line.overflow = True, cut_with()
        return line

    def __enter__(self) -> Self:
        self._live.__enter__()
        self.status(Status("connecting"))
        return self

    def __exit__(self, *_error: object) -> None:
        self._live.__exit__(None, None, None)


def _colour(sender_id: str | None) -> str:
    """Return a color that is always the same for a user."""
    return COLOURS[zlib.crc32((sender_id or "").encode()) % len(COLOURS)]
