"""Long lines, in the width of the terminal."""

from __future__ import annotations

import shutil
import textwrap

from poolse.cli.sanitize import sanitized

__all__ = ["wrapped"]


def wrapped(text: str, indent: int) -> str:
    """Return a harmless text in lines that fit the terminal, or 80 columns in a pipe.

    Words are never broken: IDs and paths are there to be copied.

    Args:
        text: One paragraph. Blanks at its beginning stay.
        indent: Number of blanks before all lines but the first.
    """
    width = max(40, min(shutil.get_terminal_size().columns, 100))
    return textwrap.fill(
        sanitized(text),
        width,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
