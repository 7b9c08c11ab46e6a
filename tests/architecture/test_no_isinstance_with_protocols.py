"""No `isinstance` with a protocol: from Python 3.12 on it does not see what `__getattr__` gives."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture.tree import hand_written, name_of


def classes_asked_for(tree: ast.Module) -> Iterator[str]:
    """The names of the classes that `isinstance` is called with."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance":
            yield from (one.id for one in ast.walk(node.args[1]) if isinstance(one, ast.Name))


def test_no_protocol_is_asked_for_at_runtime() -> None:
    trees = {path: ast.parse(path.read_text("utf-8")) for path in hand_written("poolse")}
    protocols = {
        node.name
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and any(ast.unparse(b).split("[")[0] == "Protocol" for b in node.bases)
    }
    assert {"BinaryReader", "Checkpoint"} <= protocols
    asked = [
        f"{name_of(path)}: {name}"
        for path, tree in trees.items()
        for name in classes_asked_for(tree)
        if name in protocols
    ]
    assert not asked
