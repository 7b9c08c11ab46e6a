"""How much of two bodies is the same code written twice.

The statements of a file are, for this measure: every simple statement (assignments, calls,
returns, raises, ...) and the head of every `if`, `while`, `for`, `with` and `except`, as
`ast.unparse` prints them. Docstrings, imports, `pass` and signatures are left out: twins have
those in common by design, and there is no decision in them.

Before the comparison `async` and `await` are dropped and `Async*` becomes `*`; the same for the
names that asyncio's protocol imposes: `__aenter__`, `__aexit__`, `__aiter__`, `__anext__`,
`aclose`.

The share is the number of statements of the sync side that the async side has too, each counted as
often as both have it, over all statements of the sync side.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator

LEFT_OUT = (ast.Import, ast.ImportFrom, ast.Pass, ast.Global, ast.Nonlocal)

ASYNC_NAMES = re.compile(r"\b(?:Async(?=[A-Z])|async |await |a(?=close\b))")
ASYNC_DUNDERS = re.compile(r"__a(enter|exit|iter|next)__")


def heads(node: ast.stmt | ast.ExceptHandler) -> str | None:
    """What a compound statement says before its body, None for one that says nothing."""
    match node:
        case ast.If(test=test):
            return f"if {ast.unparse(test)}"
        case ast.While(test=test):
            return f"while {ast.unparse(test)}"
        case ast.For() | ast.AsyncFor():
            return f"for {ast.unparse(node.target)} in {ast.unparse(node.iter)}"
        case ast.With() | ast.AsyncWith():
            return f"with {', '.join(ast.unparse(item) for item in node.items)}"
        case ast.ExceptHandler(type=kind):
            return f"except {ast.unparse(kind) if kind else ''}"
        case _:
            return None


def is_prose(node: ast.AST) -> bool:
    """Docstrings, `...`, imports: nothing that runs."""
    bare = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return bare or isinstance(node, LEFT_OUT)


def statements(source: str) -> Iterator[str]:
    """The statements of a file, colourless."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.stmt | ast.ExceptHandler) or is_prose(node):
            continue
        text = heads(node) if hasattr(node, "body") else ast.unparse(node)
        if text is not None:
            yield ASYNC_DUNDERS.sub(r"__\1__", ASYNC_NAMES.sub("", text))


def shared(sync: Iterable[str], aio: Iterable[str]) -> list[str]:
    """The statements that the sync sources have in common with the async ones."""
    ours = Counter(line for source in sync for line in statements(source))
    theirs = Counter(line for source in aio for line in statements(source))
    return sorted((ours & theirs).elements())


def share(sync: Iterable[str], aio: Iterable[str]) -> float:
    """In [0, 1]: how much of the sync sources the async ones repeat."""
    sources = list(sync)
    count = sum(1 for source in sources for _ in statements(source))
    return len(shared(sources, aio)) / count if count else 0.0
