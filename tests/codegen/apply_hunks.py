"""Changes as they stand in examples: hunks of lines that say what is around them."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["apply"]


def apply(folder: Path, change: str) -> None:
    """Apply a change to the files that it names; each hunk must fit at one place."""
    start, *parts = re.split(r"^--- ", change, flags=re.MULTILINE)
    assert parts
    assert not start
    for part in parts:
        _apply(folder, part)


def _apply(folder: Path, part: str) -> None:
    name, *hunks = part.split("@@\n")
    path = folder / name.strip()
    text = path.read_text("utf-8")
    assert hunks
    for hunk in hunks:
        lines = [(line[:1], line[1:]) for line in hunk.splitlines()]
        old, new = (
            "".join(f"{text}\n" for sign, text in lines if sign != other) for other in ("+", "-")
        )
        assert text.count(old) == 1, f"there {text.count(old)} times in {path.name}:\n{old}"
        text = text.replace(old, new)
    path.write_text(text, "utf-8")
