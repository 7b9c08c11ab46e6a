# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false
"""Moves programs to the new names of poolse: `python SCRIPT [--dry-run] PATH …`. Needs libcst.

It renames what it can tell the type of, and prints what it cannot: those lines are yours.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

API: Final = json.loads("{}")

TYPES: Final[dict[str, dict[str, str]]] = API.get("types", {})
"""By class: what its attributes and methods are, as the old release had them."""
BASES: Final[dict[str, list[str]]] = API.get("bases", {})
RENAMED: Final[dict[str, str]] = API.get("renamed", {})
GONE: Final[dict[str, str]] = API.get("gone", {})


def sync(name: str) -> str:
    """Return the name of the sync class."""
    return re.sub(r"\bAsync(?=[A-Z])", "", name)


def last(path: str) -> str:
    """Return a name without what it is a part of."""
    return re.split(r"[.(]", path.removesuffix("()").removesuffix("=)"))[-1]


PARTS: Final = {last(old) for old in RENAMED if not old.endswith("=)")}
"""Old names, without what they are a part of."""


def classes(name: str) -> Iterator[str]:
    """Yield a class and its bases."""
    yield name
    for base in BASES.get(name, ()):
        yield from classes(base)


def plain(annotation: str) -> str:
    """Return the first part of an annotation that says something."""
    parts = [part.strip("\"' ") for part in sync(annotation).split(" | ")]
    return next((part for part in parts if part not in ("None", "Unset", "Any", "object")), "")


def member(owner: str, name: str) -> str:
    """Return the type of an attribute, or of what a method returns."""
    return next((plain(TYPES[c][name]) for c in classes(owner) if name in TYPES.get(c, ())), "")


def item(kind: str) -> str:
    """Return the type of what one iterates over."""
    inside = re.fullmatch(r"(?:list|Sequence|Iterable|Iterator|Page)\[(.*)\]", kind)
    bases = BASES.get(kind, [])
    return inside[1] if inside else bases[1] if bases[:1] == ["Page"] else ""


def found(table: dict[str, str], owner: str, name: str) -> str:
    """Return the path of a name of a class in a table, or ""."""
    return next((f"{c}{name}" for c in classes(owner) if f"{c}{name}" in table), "")


class Rename(cst.CSTTransformer):
    """Renames in one file."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        super().__init__()
        self.left: list[tuple[int, str]] = []
        """Lines that were not changed, and why."""
        self._scopes: list[dict[str, str]] = [{}]
        self._own: list[dict[str, str]] = [{}]
        """Types of attributes of `self`."""
        self._imported: set[str] = set()

    # ---- what things are

    def type_of(self, node: cst.CSTNode | None) -> str:
        """Return the type of an expression, or ""."""
        match node:
            case cst.Name(value=name):
                return self.known(name) or (sync(name) if name in self._imported else "")
            case cst.Attribute(value=cst.Name(value="self"), attr=cst.Name(value=name)):
                return self._own[-1].get(name, "")
            case cst.Attribute(value=value, attr=cst.Name(value=name)):
                return member(self.type_of(value), name)
            case cst.Call(func=cst.Attribute(value=value, attr=cst.Name(value=name))):
                return member(self.type_of(value), f"{name}()")
            case cst.Call(func=cst.Name(value=name)):
                return self.known(f"{name}()") or self.type_of(node.func)
            case cst.Await(expression=value) | cst.NamedExpr(value=value):
                return self.type_of(value)
            case cst.Subscript(value=value):
                return item(self.type_of(value))
            case _:
                return ""

    def known(self, name: str) -> str:
        """Return the type of a variable, or of what a function returns."""
        return next((scope[name] for scope in reversed(self._scopes) if name in scope), "")

    def bind(self, target: cst.CSTNode | None, kind: str) -> None:
        """Remember the type of a variable."""
        match target:
            case cst.Name(value=name):
                self._scopes[-1][name] = kind
            case cst.Attribute(value=cst.Name(value="self"), attr=cst.Name(value=name)):
                self._own[-1][name] = kind
            case _:
                pass

    def text(self, annotation: cst.Annotation | None) -> str:
        """Return the type that an annotation names."""
        return plain(cst.Module([]).code_for_node(annotation.annotation)) if annotation else ""

    def visit_ImportFrom(self, node: cst.ImportFrom) -> None:
        if node.module and cst.Module([]).code_for_node(node.module).startswith("poolse"):
            names = node.names if isinstance(node.names, Sequence) else ()
            self._imported |= {alias.evaluated_alias or alias.evaluated_name for alias in names}

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self._scopes[-1][node.name.value] = node.name.value
        self._own.append({})

    def leave_ClassDef(self, original_node: cst.ClassDef, updated_node: Any) -> Any:
        self._own.pop()
        return updated_node

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self._scopes[-1][f"{node.name.value}()"] = self.text(node.returns)
        self._scopes.append({})
        for param in (*node.params.params, *node.params.kwonly_params):
            self.bind(param.name, self.text(param.annotation))

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: Any) -> Any:
        self._scopes.pop()
        return updated_node

    def leave_Assign(self, original_node: cst.Assign, updated_node: Any) -> Any:
        for target in original_node.targets:
            self.bind(target.target, self.type_of(original_node.value))
        return updated_node

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self.bind(node.target, self.text(node.annotation))

    def visit_WithItem(self, node: cst.WithItem) -> None:
        if node.asname:
            self.bind(node.asname.name, self.type_of(node.item))

    def visit_For(self, node: cst.For) -> None:
        self.bind(node.target, item(self.type_of(node.iter)))

    def _comprehension(self, node: Any) -> None:
        self.bind(node.for_in.target, item(self.type_of(node.for_in.iter)))

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def visit_Call(self, node: cst.Call) -> None:
        if isinstance(node.func, cst.Attribute) and node.args:
            payload = member(self.type_of(node.func.value), f"{node.func.attr.value}(handler)")
            handler = node.args[0].value
            if payload and isinstance(handler, cst.Lambda) and handler.params.params:
                self.bind(handler.params.params[0].name, payload)

    # ---- what they are called now

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        name = original_node.value
        new = RENAMED.get(sync(name), "") if name in self._imported else ""
        return (
            updated_node.with_changes(value=name.replace(sync(name), new)) if new else updated_node
        )

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: Any) -> Any:
        name, owner = original_node.attr.value, self.type_of(original_node.value)
        for end in ("", "()"):
            old = found(RENAMED, owner, f".{name}{end}")
            if old:
                return self._moved(original_node, updated_node, old, RENAMED[old])
            gone = found(GONE, owner, f".{name}{end}")
            if gone:
                self._leave(original_node, f"`{gone}` is gone. {GONE[gone]}")
        if not owner and name in PARTS:
            new = [f"`{new}`" for old, new in RENAMED.items() if last(old) == name]
            self._leave(
                original_node, f"if this is poolse's `{name}`, it is {' or '.join(new)} now"
            )
        return updated_node

    def _moved(self, node: cst.Attribute, updated: cst.Attribute, old: str, new: str) -> Any:
        """Return the attribute under its new name, reached by the new way if there is one."""
        before, now = old.rpartition(".")[0], new.rpartition(".")[0]
        renamed = updated.with_changes(attr=cst.Name(last(new)))
        if now in (before, RENAMED.get(before)):
            return renamed
        for way, receiver in ((before, updated.value), (self._parent(node), self._inner(updated))):
            for name, kind in TYPES.get(way, {}).items():
                if kind == now and receiver is not None and not name.endswith("()"):
                    return renamed.with_changes(value=cst.Attribute(receiver, cst.Name(name)))
        if self._parent(node) == now:
            return renamed.with_changes(value=self._inner(updated))
        self._leave(node, f"`{old}` is `{new}` now, which is reached in another way")
        return updated

    def _parent(self, node: cst.Attribute) -> str:
        return self.type_of(self._inner(node))

    def _inner(self, node: cst.Attribute) -> Any:
        return node.value.value if isinstance(node.value, cst.Attribute) else None

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        func = original_node.func
        owner = self.type_of(func.value if isinstance(func, cst.Attribute) else func)
        call = f".{func.attr.value}" if isinstance(func, cst.Attribute) else ""
        args = [
            self._argument(original, arg, owner, call)
            for original, arg in zip(original_node.args, updated_node.args, strict=True)
        ]
        if isinstance(func, cst.Name) and func.value in (
            "delattr",
            "getattr",
            "hasattr",
            "setattr",
        ):
            text = original_node.args[1].value
            if isinstance(text, cst.SimpleString) and str(text.evaluated_value) in PARTS:
                self._leave(original_node, f"a name in a string: {text.value}")
        return updated_node.with_changes(args=args)

    def _argument(self, original: cst.Arg, arg: cst.Arg, owner: str, call: str) -> cst.Arg:
        name = original.keyword.value if original.keyword else ""
        for path in (f"{call}({name}=)", f".{name}"):
            old = found(RENAMED, owner, path) if name and (call == "" or "(" in path) else ""
            if old:
                return arg.with_changes(keyword=cst.Name(last(RENAMED[old])))
        gone = found(GONE, owner, f"{call}({name}=)")
        if gone:
            self._leave(original, f"`{gone}` is gone. {GONE[gone]}")
        return arg

    def leave_MatchClass(self, original_node: cst.MatchClass, updated_node: Any) -> Any:
        owner = self.type_of(original_node.cls)
        keywords = [
            one.with_changes(key=cst.Name(last(RENAMED[old]))) if old else one
            for one in updated_node.kwds
            for old in [found(RENAMED, owner, f".{one.key.value}")]
        ]
        return updated_node.with_changes(kwds=keywords)

    def _leave(self, node: cst.CSTNode, why: str) -> None:
        place: Any = self.get_metadata(PositionProvider, node)
        self.left.append((place.start.line, why))


def main() -> int:
    """Rename in all files. Returns 1 if something is left to do by hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--dry-run", action="store_true", help="write nothing")
    options = parser.parse_args()
    files = [f for p in options.paths for f in (sorted(p.rglob("*.py")) if p.is_dir() else [p])]
    left = 0
    for file in files:
        source = file.read_text("utf-8")
        rename = Rename()
        code = MetadataWrapper(cst.parse_module(source)).visit(rename).code
        if code != source:
            print(f"{file}: {'to be changed' if options.dry_run else 'changed'}")
            if not options.dry_run:
                file.write_text(code, "utf-8")
        for line, why in sorted(set(rename.left)):
            print(f"{file}:{line}: {why}")
        left += len(rename.left)
    return 1 if left else 0


if __name__ == "__main__":
    raise SystemExit(main())
