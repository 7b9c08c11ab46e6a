"""Looks into generated files."""

from __future__ import annotations

import ast

from tests.codegen.tiny_spec import Shop


def piece(shop: Shop, file: str, name: str) -> str:
    """A class, function or constant of a generated file, without docstrings."""
    tree = ast.parse(shop.text(file))
    owner, _, method = name.partition(".")
    for node in tree.body:
        found = node
        if isinstance(node, ast.ClassDef) and method:
            found = next((n for n in node.body if getattr(n, "name", "") == method), node)
        if owner in (getattr(node, "name", ""), getattr(getattr(node, "target", None), "id", "")):
            return _bare(found)
    raise AssertionError(f"no {name} in {file}")


def _bare(tree: ast.stmt) -> str:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            kept = [child for child in node.body if not _is_text(child)]
            node.body = kept or [ast.Pass()]
    return ast.unparse(tree)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
