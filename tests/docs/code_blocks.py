"""The code in the pages, block by block, with what a comment above a block says of it.

<!-- run as bob, in the background -->     the command goes on while the rest of the page runs
<!-- continues -->                         in the same interpreter as the block before
<!-- run by tests/docs/test_x.py -->       that test brings what the block needs
<!-- not run: why -->                      nobody runs it
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

from tests.architecture.tree import ROOT

__all__ = ["PAGES", "Block", "blocks_of", "python_of"]

PAGES: Final = [
    "README.md",
    "CHANGELOG.md",
    "spec/README.md",
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")),
]

PROSE: Final = frozenset({"text", "diff", "dockerfile", "ini", "json", "toml", "yaml"})
"""Languages that nobody runs."""

FENCE: Final = re.compile(
    r"^(?P<indent> *)(?:<!-- (?P<note>[^\n]+) -->\n(?P=indent))?```(?P<language>[^\n]*)\n"
    r"(?P<code>.*?)^(?P=indent)```$",
    re.DOTALL | re.MULTILINE,
)
FILE: Final = re.compile(r"# (\w+\.py)\n")


@attrs.frozen
class Block:
    """A block of code."""

    page: str
    line: int
    """Of its first line, from 1."""
    language: str
    note: str
    code: str

    @property
    def name(self) -> str:
        """The file that its first line says it is, or ""."""
        found = FILE.match(self.code)
        return found[1] if found else ""

    @property
    def runner(self) -> str:
        """The test that runs it, or ""."""
        return self.note.removeprefix("run by ") if self.note.startswith("run by ") else ""

    @property
    def excuse(self) -> str:
        """Why nobody runs it, or ""."""
        return self.note.removeprefix("not run: ") if self.note.startswith("not run: ") else ""

    @property
    def is_prose(self) -> bool:
        """Whether it is nothing that runs: a directive of the site, or plain text."""
        return self.language.startswith("{") or self.language in PROSE

    @property
    def is_ours(self) -> bool:
        """Whether it is run with its page."""
        return not (self.runner or self.excuse or self.is_prose)


def blocks_of(page: str, root: Path = ROOT) -> Iterator[Block]:
    """Those of a page, in order."""
    text = (root / page).read_text("utf-8")
    for found in FENCE.finditer(text):
        yield Block(
            page=page,
            line=text.count("\n", 0, found.start("code")) + 1,
            language=found["language"],
            note=found["note"] or "",
            code=textwrap.dedent(found["code"]),
        )


def python_of(page: str, runner: str) -> list[Block]:
    """The Python that a test has to run."""
    return [b for b in blocks_of(page) if b.language == "python" and b.runner == runner]
