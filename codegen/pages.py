"""Pages that people write, with tables in them that the generator writes.

A table stands between two comments, and is asked for by its name:

    <!-- generated: rows -->
    <!-- end -->
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from codegen.diagnostics import Diagnostics, Location
from codegen.write import Plan, plan_file

__all__ = ["plan_pages"]

PAGES: Final = ("README.md",)
MARKED: Final = re.compile(r"(<!-- generated: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)


def plan_pages(folder: Path, tables: Mapping[str, str]) -> list[Plan]:
    """What would have to be done to the pages in a folder; those that are missing are left out.

    Raises:
        SpecError: A page asks for a table that there is not.
    """
    mistakes = Diagnostics()
    paths = [folder / name for name in PAGES if (folder / name).exists()]
    plans = [plan_file(path, _filled(path, tables, mistakes)) for path in paths]
    mistakes.raise_if_any()
    return plans


def _filled(path: Path, tables: Mapping[str, str], mistakes: Diagnostics) -> str:
    text = path.read_text("utf-8")

    def table(found: re.Match[str]) -> str:
        start, name, end = found.groups()
        if name not in tables:
            mark = Location(path.name, text.count("\n", 0, found.start()) + 1, 1)
            mistakes.unknown(mark, f"there is no table {name!r}", name, tables)
        return f"{start}\n{tables.get(name, '')}\n{end}"

    return MARKED.sub(table, text)
