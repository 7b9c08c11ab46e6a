"""What is checked of the whole: examples that could be called, and releases that there are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from codegen.ir import Api, Operation, Resource
from codegen.spec import Spec

__all__ = ["check_examples", "check_releases"]

VERSION: Final = Path(__file__).parent.parent / "poolse" / "_support" / "version.py"


def check_examples(api: Api, spec: Spec) -> None:
    """Report examples that name no method, or no parameter of it."""
    resources = (*api.resources, *api.backend_resources)
    by_class = {resource.class_name: resource for resource in resources}
    for root in (spec.rest, spec.events):
        for node in root.walk():
            if node.key == "example" and isinstance(node.value, str):
                text = _unknown_in(node.value, by_class)
                if text:
                    node.wrong(f"x-sdk.example: {text}")


def _unknown_in(example: str, classes: dict[str, Resource]) -> str:
    """Return what is wrong with an example, "" if nothing is."""
    try:
        steps = list(_steps(ast.parse(example, mode="eval").body))
    except SyntaxError:
        return "this is not Python"
    here: Resource | None = None
    for name, keywords in steps[1:]:
        roots = (one.as_child for one in classes.values() if one.is_root)
        below = {
            called: classes[child.class_name]
            for child in (here.children if here else roots)
            for called, _ in child.deprecation.called(child.attribute)
        }
        methods = {} if here is None else {n: op for op in here.operations for n in _methods(op)}
        if name in below:
            here = below[name]
        elif name == "one" and here is not None and here.handle:
            here = classes[here.handle]
        elif name in methods:
            taken = [p.name for p in methods[name].params]
            unknown = [word for word in keywords if word not in (*taken, "options")]
            is_own = name == methods[name].name
            return f"{name}() takes no {unknown[0]!r}" if unknown and is_own else ""
        else:
            return f"{here.class_name if here else 'the client'} has no {name!r}"
    return "it calls nothing"


def _steps(node: ast.AST) -> Iterator[tuple[str, list[str]]]:
    """Yield the names of a chain of attributes and calls, each with the keywords of its call."""
    keywords: list[str] = []
    if isinstance(node, ast.Call):
        keywords = [one.arg for one in node.keywords if one.arg]
        node = node.func
    if isinstance(node, ast.Attribute):
        yield from _steps(node.value)
        yield node.attr, keywords
    elif isinstance(node, ast.Name):
        yield node.id, keywords


def _methods(op: Operation) -> list[str]:
    parts = (op.paging, op.upload, op.upload.many if op.upload else None, op.download, op.follow)
    return [op.name, *(part.method for part in parts if part)]


def check_releases(spec: Spec) -> None:
    """Report spans that end before they begin, ends that are over, and releases far ahead."""
    now = _release(VERSION.read_text("utf-8").rpartition("=")[2])
    for root in (spec.rest, spec.events):
        for node in root.walk():
            since, until = node.peek("since"), node.peek("until")
            first, last = (
                _release(one.value) if isinstance(one.value, str) else [] for one in (since, until)
            )
            if first and last and last <= first:
                until.wrong(f"it ends with {until.value}, but begins with {since.value}")
            elif last and last <= now:
                until.wrong(f"the release {until.value} is out: take the old name away")
            if first and first[0] > now[0] + 1:
                since.wrong(f"the release {since.value} is far ahead: the next is {now[0] + 1}.0")


def _release(version: str) -> list[int]:
    return [int(part) for part in version.strip(' "\n').split(".") if part.isdigit()]
