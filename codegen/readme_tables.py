"""The generated tables of README.md: methods, events, models, enums, error codes.

A table stands between two comments, and is asked for by its name:

    <!-- generated: models -->
    <!-- end -->
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from codegen.ir import Api, Channel, Event, Field, Operation, Resource
from codegen.surface import FILES
from codegen.write import Plan, plan_file
from codegen.yaml_source import Diagnostics, Location

__all__ = [
    "plan_pages",
    "tables",
]

ROUTE: Final = re.compile(r"^`([A-Z]+ /\S+)`", re.MULTILINE)
NONE: Final = "| None"
SHARED: Final = 3
"""Methods with the same error code that are listed by name."""


def tables(api: Api, texts: Mapping[str, str]) -> dict[str, str]:
    """Return each table by the name that pages use for it.

    Args:
        api: What the texts were made of.
        texts: Generated files, by name.
    """
    classes = _classes(texts)
    resources = (*api.resources, *api.backend_resources)
    return {
        **{f"methods of {r.class_name}": _methods(classes[r.class_name]) for r in resources},
        **{f"events of {channel.class_name}": _events(channel) for channel in api.channels},
        "models": _models(api),
        "enums": _enums(api),
        "error codes": _codes(api, resources),
    }


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(_cell(text) for text in line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


# Methods are read from the generated code, which knows them all, also those that send several
# requests.


def _classes(texts: Mapping[str, str]) -> dict[str, ast.ClassDef]:
    modules = [ast.parse(texts[name]) for name in FILES]
    nodes = [node for module in modules for node in module.body]
    return {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}


def _methods(owner: ast.ClassDef) -> str:
    methods: dict[str, list[ast.FunctionDef]] = {}
    for node in owner.body:
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        if "property" not in map(ast.unparse, node.decorator_list):
            methods.setdefault(node.name, []).append(node)
    return _table(("method", "HTTP", "what it does"), map(_method, methods.values()))


def _method(versions: list[ast.FunctionDef]) -> tuple[str, ...]:
    """Return the row of a method: the last of its overloads is the implementation."""
    node = versions[-1]
    doc = ast.get_docstring(node) or ""
    route = ROUTE.search(doc)
    results = dict.fromkeys(ast.unparse(one.returns or node) for one in versions[:-1] or versions)
    gives = f" → {_names(results)}" if "None" not in results else ""
    return (
        f"`{node.name}({_parameters(node)})`{gives}",
        f"`{route[1]}`" if route else "",
        doc.split("\n\n", maxsplit=1)[0],
    )


def _parameters(node: ast.FunctionDef) -> str:
    """Return parameters: `name` by position, `name=…` if required, `name=` if optional."""
    taken = node.args
    optional = len(taken.args) - len(taken.defaults)
    names = [
        argument.arg + ("=" if index >= optional else "")
        for index, argument in enumerate(taken.args)
        if argument.arg != "self"
    ]
    for argument, default in zip(taken.kwonlyargs, taken.kw_defaults, strict=True):
        if argument.arg != "options":
            names.append(f"{argument.arg}=" if default else f"{argument.arg}=…")
    return ", ".join(names)


def _events(channel: Channel) -> str:
    received = (
        (f"`{event.wire}`", f"`{event.callback}`", f"`{event.class_name}`", _payload(event))
        for event in channel.events
    )
    return _table(("event", "callback", "class", "payload"), received)


def _payload(event: Event) -> str:
    if event.model:
        return _fields(event.model.fields)
    return f"`{event.base}`" if event.map_reader else f"all fields of `{event.base}`"


def _models(api: Api) -> str:
    return _table(
        ("class", "fields"),
        ((f"`{m.name}`", _fields(m.fields)) for m in api.models if not m.item),
    )


def _fields(fields: Iterable[Field]) -> str:
    return ", ".join(_field(field) for field in fields)


def _field(field: Field) -> str:
    """Return the name and type of a field, with `?` if it may be None."""
    kind = field.annotation.removesuffix(NONE).strip()
    return f"`{field.name}` {kind}{'?' if kind != field.annotation else ''}"


def _enums(api: Api) -> str:
    return _table(
        ("enum", "values"),
        ((f"`{e.name}`", _names(value for _, value in e.members)) for e in api.enums),
    )


def _codes(api: Api, resources: Iterable[Resource]) -> str:
    raisers = list(_operations(resources))
    raised_by = {
        code.name: list(dict.fromkeys(name for name, op in raisers if code.name in op.errors))
        for code in api.codes
    }
    return _table(
        ("code", "who may raise it"), ((f"`{c}`", _who(who)) for c, who in raised_by.items())
    )


def _who(names: list[str]) -> str:
    if not names:
        return "any call"
    return _names(names) if len(names) <= SHARED else f"{len(names)} methods; each names its own"


def _operations(resources: Iterable[Resource]) -> Iterator[tuple[str, Operation]]:
    for resource in resources:
        for op in resource.operations:
            yield f"{resource.class_name}.{op.name}", op


PAGES: Final = ("README.md",)
MARKED: Final = re.compile(r"(<!-- generated: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)


def plan_pages(folder: Path, tables: Mapping[str, str]) -> list[Plan]:
    """Plan the pages of a folder; missing pages are left out.

    Raises:
        SpecError: A page asks for a table that there is not.
    """
    diagnostics = Diagnostics()
    paths = [folder / name for name in PAGES if (folder / name).exists()]
    plans = [plan_file(path, _filled(path, tables, diagnostics)) for path in paths]
    diagnostics.raise_if_any()
    return plans


def _filled(path: Path, tables: Mapping[str, str], diagnostics: Diagnostics) -> str:
    text = path.read_text("utf-8")

    def table(match: re.Match[str]) -> str:
        start, name, end = match.groups()
        if name not in tables:
            location = Location(path.name, text.count("\n", 0, match.start()) + 1, 1)
            diagnostics.unknown(location, f"there is no table {name!r}", name, tables)
        return f"{start}\n{tables.get(name, '')}\n{end}"

    return MARKED.sub(table, text)
