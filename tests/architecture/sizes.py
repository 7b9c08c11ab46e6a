"""Hand-written lines of each room against its budget: `make rooms`.

`lines` are all lines of the files, as an editor counts them. `code` leaves out blank lines,
comments and docstrings; the budget is compared with `lines`.
"""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

from tests.architecture.tree import ROOT, hand_written, is_docstring, name_of

BUDGETS = {
    "poolse/_core": 1_100,
    "poolse/_http": 430,
    "poolse/_files": 500,
    "poolse/_realtime": 1_500,
    "poolse/_follow": 570,
    "poolse/sandbox": 1_400,
    "poolse/cli": 450,
    "codegen": 1_300,
    "the rest": 700,
}

QUIET = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}


def docstring_lines(source: str) -> set[int]:
    """Numbers of the lines that only explain."""
    return {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.stmt) and is_docstring(node)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }


def code_lines(source: str) -> int:
    """Lines that do something."""
    busy = {
        line
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in QUIET
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(busy - docstring_lines(source))


def files_of(room: str) -> list[Path]:
    """The files of a room; templates belong to the generator."""
    if room == "the rest":
        rooms = tuple(f"{other}/" for other in BUDGETS)
        return [path for path in hand_written("poolse") if not name_of(path).startswith(rooms)]
    return hand_written(room) + sorted((ROOT / room).rglob("*.jinja"))


def measure(path: Path) -> tuple[int, int]:
    """Lines and code lines of a file; every line of a template is code."""
    source = path.read_text("utf-8")
    lines = len(source.splitlines())
    return lines, code_lines(source) if path.suffix == ".py" else lines


def main() -> None:
    """Print the table."""
    print(f"{'room':<18} {'files':>5} {'code':>6} {'lines':>6} {'budget':>7}")
    total = [0, 0, 0]
    for room, budget in BUDGETS.items():
        sizes = [measure(path) for path in files_of(room)]
        lines, code = sum(size[0] for size in sizes), sum(size[1] for size in sizes)
        over = f"  over by {lines - budget}" if lines > budget else ""
        print(f"{room:<18} {len(sizes):>5} {code:>6} {lines:>6} {budget:>7}{over}")
        total = [total[0] + len(sizes), total[1] + code, total[2] + lines]
    files, code, lines = total
    print(f"{'all':<18} {files:>5} {code:>6} {lines:>6} {sum(BUDGETS.values()):>7}")


if __name__ == "__main__":
    main()
