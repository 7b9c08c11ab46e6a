"""A long function is a sign that a second idea moved in."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture.tree import Function, functions, hand_written, is_docstring, name_of

LONGEST_FUNCTION = 60
"""Lines of the body, from its first statement after the docstring to its end."""

TOPS = ("poolse", "codegen", "tests")


def body_lines(function: Function) -> int:
    """Lines of a function's body. Signature and docstring are prose for the caller, not code."""
    body = function.body[1:] if is_docstring(function.body[0]) else function.body
    if not body:
        return 0
    return (body[-1].end_lineno or body[-1].lineno) - body[0].lineno + 1


def long_functions(name: str, text: str) -> Iterator[str]:
    """Functions of a file that are too long, as `file:line name lines`."""
    for function in functions(ast.parse(text)):
        lines = body_lines(function)
        if lines > LONGEST_FUNCTION:
            yield f"{name}:{function.lineno} {function.name} {lines}"


def test_no_function_is_long() -> None:
    found = [
        line
        for path in hand_written(*TOPS)
        for line in long_functions(name_of(path), path.read_text("utf-8"))
    ]
    assert found == []


def test_a_long_function_is_found_wherever_it_hides() -> None:
    body = "\n".join(f"        x = {number}" for number in range(LONGEST_FUNCTION))
    method = f'class C:\n    async def m(self):\n        """Doc."""\n{body}\n'
    assert list(long_functions("f.py", method)) == []
    assert list(long_functions("f.py", method + "        y = 1\n")) == ["f.py:2 m 61"]
