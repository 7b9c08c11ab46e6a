"""Lines of code by package: `make sizes`.

Lines of code are those that are left without docstrings, comments, imports and blank lines. Every
line of a template counts, but for blank lines and template comments. What `make generate` writes
does not count: its templates and its printer do.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from pathlib import Path

from tests.architecture.tree import ROOT, hand_written, is_docstring, name_of

OPTIONAL = ("poolse/sandbox", "poolse/cli", "poolse/testing")
"""Parts of the package that the library works without."""

LAYOUT = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}


def left_out(source: str) -> set[int]:
    """Numbers of the lines of docstrings and imports."""
    return {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        or (isinstance(node, ast.stmt) and is_docstring(node))
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }


def code_lines(path: Path) -> int:
    """Lines of code of a file."""
    source = path.read_text("utf-8")
    if path.suffix != ".py":
        return sum(1 for line in source.splitlines() if line.strip() and "{#" not in line)
    used = {
        line
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in LAYOUT
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(used - left_out(source))


def counted_files() -> list[Path]:
    """Every file whose lines count."""
    templates = sorted((ROOT / "codegen").rglob("*.jinja"))
    return hand_written("poolse", "codegen") + templates


def package_of(path: Path) -> str:
    """`poolse/_rest/call.py` -> `poolse/_rest`; what lies at the top of `poolse` is `poolse`."""
    top, *rest = name_of(path).split("/")[:-1]
    return top if top == "codegen" or not rest else f"{top}/{rest[0]}"


def main() -> None:
    """Print the table."""
    files, lines = Counter[str](), Counter[str]()
    for path in counted_files():
        files[package_of(path)] += 1
        lines[package_of(path)] += code_lines(path)
    for package in sorted(lines):
        print(f"{package:<18} {files[package]:>4} files {lines[package]:>6} lines")
    optional = sum(lines[package] for package in OPTIONAL)
    templates = sum(code_lines(path) for path in counted_files() if path.suffix == ".jinja")
    library = lines.total() - lines["codegen"] - optional + templates
    print(f"\n{'library':<18} {library:>17} lines, with {templates} of templates")
    print(f"{'without':<18} {'':>17} {', '.join(OPTIONAL)}")


if __name__ == "__main__":
    main()
