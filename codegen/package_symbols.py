"""The public names of a package, read from its source, which is never imported."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Set
from pathlib import Path
from typing import Final

import attrs

from codegen.yaml_source import Location

__all__ = [
    "NOWHERE",
    "PACKAGE",
    "Package",
    "Symbol",
]

PACKAGE: Final = "poolse"
NOWHERE: Final = Location("", 0, 0)
NOTHING: Final = ast.Constant(None)
Function = ast.FunctionDef | ast.AsyncFunctionDef
Name = tuple[str, str]
"""A module, and a name in it."""


@attrs.frozen(kw_only=True)
class Symbol:
    """One public name: `Class`, `Class.attribute`, `Class.method()` or `Class.method(parameter=)`.

    A constructor is `Class()`.
    """

    path: str
    kind: str
    text: str = ""
    """Its declaration, one line for each overload."""
    wire: str = ""
    """Its form on the wire: a route, or an event."""
    traits: Mapping[str, object] = attrs.field(factory=dict[str, object])
    """What may change about it, by the name of the rule for that."""
    same: str = ""
    """Identifies it beside its name, among those of its kind."""
    now: str = ""
    """Of an old name: the current one."""
    until: str = ""
    """Of an old name: the release that removes it."""
    location: Location = attrs.field(default=NOWHERE, eq=False)

    @property
    def owner(self) -> str:
        """The path of what it is a part of, or ""."""
        if self.path.endswith("=)"):
            return self.path.rpartition("(")[0] + "()"
        if self.kind == "constructor":
            return self.path.removesuffix("()")
        return self.path.removesuffix("()").rpartition(".")[0]


class Package:
    """A package as text.

    Args:
        folder: The folder that holds it.
        texts: Files of the package that differ from those in the folder, or are not there.
    """

    def __init__(self, folder: Path, texts: Mapping[str, str] | None = None) -> None:
        self._folder: Final = folder
        self._texts: Final = {folder / PACKAGE / name: text for name, text in (texts or {}).items()}
        self._paths: Final[dict[str, Path]] = {}
        self._modules: Final[dict[str, dict[str, list[ast.stmt] | Name]]] = {}

    def has(self, module: str) -> bool:
        """Return whether there is such a module."""
        path = self._path(module)
        return path in self._texts or path.exists()

    def names(self, module: str) -> dict[str, list[ast.stmt] | Name]:
        """Return all names of a module: their declarations, or where they are imported from."""
        if module not in self._modules:
            path = self._path(module)
            text = self._texts[path] if path in self._texts else path.read_text("utf-8")
            self._modules[module] = self._read(ast.parse(text))
        return self._modules[module]

    def file(self, module: str) -> str:
        """Return the path of a module in the folder."""
        return self._path(module).relative_to(self._folder).as_posix()

    def _path(self, module: str) -> Path:
        if module not in self._paths:
            path = self._folder.joinpath(*module.split("."))
            self._paths[module] = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        return self._paths[module]

    def _read(self, tree: ast.Module) -> dict[str, list[ast.stmt] | Name]:
        names: dict[str, list[ast.stmt] | Name] = {}
        for node in _statements(tree.body):
            if isinstance(node, ast.ImportFrom):
                origin = node.module or ""
                for alias in node.names:
                    if alias.name == "*":
                        for name in self.exports(origin):
                            names.setdefault(name, (origin, name))
                    else:
                        names[alias.asname or alias.name] = (origin, alias.name)
            for name in _defined(node):
                known = names.get(name)
                names[name] = [*known, node] if isinstance(known, list) else [node]
        return names

    def exports(self, module: str) -> list[str]:
        """Return the names that a module is imported for: its `__all__`, if it is spelt out."""
        if not self.has(module):
            return []
        for node in self.names(module).get("__all__", []):
            if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.List):
                listed = [
                    str(one.value) for one in node.value.elts if isinstance(one, ast.Constant)
                ]
                if listed:
                    return listed
        return [
            name
            for name, found in self.names(module).items()
            if isinstance(found, tuple) and not name.startswith("_") and self.find(*found)
        ]

    def find(self, module: str, name: str) -> tuple[Name, list[ast.stmt]] | None:
        """Return the declarations of a name, and where they are; None if that is elsewhere."""
        found = self.names(module).get(name) if self.has(module) else None
        if isinstance(found, list):
            return (module, name), found
        # A package imports its own modules from itself.
        return self.find(*found) if found and found != (module, name) else None

    def find_class(self, module: str, named: ast.expr) -> tuple[Name, list[ast.stmt]] | None:
        """Return the declaration of what is named in a module: by `Feed[R]`, or `feed.Feed`."""
        match named:
            case ast.Subscript(value=inner):
                return self.find_class(module, inner)
            case ast.Attribute(value=ast.Name(id=holder), attr=name):
                origin = self.names(module).get(holder)
                return self.find(".".join(origin), name) if isinstance(origin, tuple) else None
            case ast.Name(id=name):
                return self.find(module, name)
            case _:
                return None

    def place(self, module: str, name: str) -> Name | None:
        """Return where a name is declared."""
        found = self.find(module, name)
        return found[0] if found else None

    def modules(self, *folders: str) -> list[str]:
        """Return the public modules in these folders of the package, but for the package itself."""
        top = self._folder / PACKAGE
        paths = [path for folder in folders for path in sorted((top / folder).glob("*.py"))]
        found = [".".join(path.relative_to(top).with_suffix("").parts) for path in paths]
        return [
            name.removesuffix(".__init__")
            for name in found
            if not name.startswith("_") and "._" not in name.removesuffix("__init__")
        ]

    def symbols(
        self, public: Mapping[str, Name], left_out: Set[str] = frozenset()
    ) -> Iterator[Symbol]:
        """Yield the public names, given with where each is, and all that users reach by them.

        Those in `left_out` are public, but not yielded.
        """
        places = {name: self.find(*place) for name, place in public.items()}
        reader = _Reader(self, {found[0] for found in places.values() if found})
        for name, found in places.items():
            if found and name not in left_out:
                yield from reader.declared(name, found[0][0], found[1])


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements at the top of a module as type checkers see them."""
    for node in body:
        if isinstance(node, ast.If):
            yield from _statements(node.orelse if "not" in ast.unparse(node.test) else node.body)
        else:
            yield node


def _defined(node: ast.stmt) -> list[str]:
    match node:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            return [node.name]
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case _:
            return []


@attrs.frozen
class _Reader:
    """Reads declarations."""

    package: Package
    known: set[Name]
    """Where the public names are."""

    def declared(self, path: str, module: str, nodes: list[ast.stmt]) -> Iterator[Symbol]:
        """Yield a name and its parts; several declarations are the overloads of a function."""
        functions = [node for node in nodes if isinstance(node, Function)]
        if isinstance(nodes[-1], ast.ClassDef):
            yield from self._class(path, module, nodes[-1])
        elif functions:
            yield from self._function(path, module, functions)
        else:
            yield self._attribute(path, module, nodes[-1])

    def _class(self, path: str, module: str, node: ast.ClassDef) -> Iterator[Symbol]:
        bases = ", ".join(map(ast.unparse, [*node.bases, *node.keywords]))
        about = _about(node)
        # A private base is no promise: what it gives is listed with the members.
        public = [base for base in node.bases if not self._is_private(module, base)]
        base = ", ".join(map(ast.unparse, public))
        yield self._symbol(path, "class", module, node, f"{path}({bases})", base=base, **about)
        for name, (origin, nodes) in self._members(module, node).items():
            if name == "__init__":
                if self._is_for_users(origin, nodes[-1]):
                    yield from self.declared(path, origin, nodes)
            else:
                yield from self.declared(f"{path}.{name}", origin, nodes)

    def _is_private(self, module: str, base: ast.expr) -> bool:
        found = self.package.find_class(module, base)
        return found is not None and found[0] not in self.known

    def _is_for_users(self, module: str, constructor: ast.stmt) -> bool:
        """Return whether users have what a constructor takes."""
        kinds = [one.annotation for one in ast.walk(constructor) if isinstance(one, ast.arg)]
        nodes = [node for kind in kinds if kind for node in ast.walk(kind)]
        names = {node.id for node in nodes if isinstance(node, ast.Name)}
        places = {self.package.place(module, name) for name in names}
        return "._generated" not in module and places <= {None, *self.known}

    def _members(self, module: str, node: ast.ClassDef) -> dict[str, tuple[str, list[ast.stmt]]]:
        """Return its members, and those that it inherits from classes that are not public."""
        members: dict[str, tuple[str, list[ast.stmt]]] = {}
        for base in reversed(node.bases):
            found = self.package.find_class(module, base)
            if found and found[0] not in self.known and isinstance(found[1][-1], ast.ClassDef):
                members |= self._members(found[0][0], found[1][-1])
        own: dict[str, tuple[str, list[ast.stmt]]] = {}
        for one in [*_set_by_constructor(node), *_statements(node.body)]:
            for name in _defined(one):
                if _is_public(name, one):
                    own.setdefault(name, (module, []))[1].append(one)
        return members | own

    def _function(self, path: str, module: str, nodes: list[Function]) -> Iterator[Symbol]:
        node, about = nodes[-1], _about(nodes[-1])
        marks = {ast.unparse(mark) for one in nodes for mark in one.decorator_list}
        result = path if node.name == "__init__" else ast.unparse(node.returns or NOTHING)
        notice = f"  # deprecated: {about['deprecated']}" if about["deprecated"] else ""
        if {"property", "cached_property"} & marks:
            shown = f"{path}: {result}{notice}"
            yield self._symbol(path, "attribute", module, node, shown, gives=result, **about)
            return
        versions = nodes[:-1] if "overload" in marks else nodes
        lines = [f"{path}({ast.unparse(one.args)}) -> {_result(one, result)}" for one in versions]
        traits: dict[str, object] = {
            "gives": result,
            "async": isinstance(node, ast.AsyncFunctionDef),
            "overloads": tuple(lines[1:] and lines),
        }
        shown = "\n".join(lines) + notice
        kind = "constructor" if node.name == "__init__" else "function"
        yield self._symbol(f"{path}()", kind, module, node, shown, **traits, **about)
        if any(mark.startswith("pytest.fixture") for mark in marks):
            # pytest passes what it takes: other fixtures.
            return
        for name, argument, default, place in _parameters(node.args):
            # Python itself passes what most special methods take.
            is_special = path.endswith("__") and not path.endswith(".__call__")
            if name not in ("self", "cls") and not is_special:
                kind = ast.unparse(argument.annotation or NOTHING).removesuffix(" | Unset")
                yield self._symbol(
                    f"{path}({name}=)",
                    "parameter",
                    module,
                    argument,
                    takes=kind,
                    required=not default,
                    default=default,
                    place=place,
                )

    def _attribute(self, path: str, module: str, node: ast.stmt) -> Symbol:
        stated = getattr(node, "value", None)
        kind = ast.unparse(getattr(node, "annotation", NOTHING))
        constant = None if "." in path else self._constant(module, stated)
        if constant is not None:
            # What it is may change with each release: `version`, the URL of the service.
            kind = type(constant).__name__ if kind in ("None", "Final") else kind
            stated = None
        if kind in ("None", "TypeAlias", "Final"):
            value = ast.unparse(stated or NOTHING)
            return self._symbol(path, "attribute", module, node, f"{path} = {value}", value=value)
        default = ast.unparse(stated) if stated else ""
        shown = f"{path}: {kind} = {default}" if default else f"{path}: {kind}"
        return self._symbol(path, "attribute", module, node, shown, gives=kind, default=default)

    def _constant(self, module: str, value: ast.expr | None) -> object:
        """Return the text or number that is written, or what a name stands for in the package."""
        if isinstance(value, ast.Name):
            found = self.package.find(module, value.id)
            value = getattr(found[1][-1], "value", None) if found else None
        return value.value if isinstance(value, ast.Constant) else None

    def _symbol(
        self,
        path: str,
        kind: str,
        module: str,
        node: ast.stmt | ast.arg,
        shown: str = "",
        **traits: object,
    ) -> Symbol:
        location = Location(self.package.file(module), node.lineno, node.col_offset + 1)
        return Symbol(path=path, kind=kind, text=shown, traits=traits, location=location)


def _about(node: ast.ClassDef | Function) -> dict[str, str]:
    """Return its docstring, and the text of its deprecation warning."""
    marks = (mark for mark in node.decorator_list if isinstance(mark, ast.Call))
    notices = [mark.args[0] for mark in marks if ast.unparse(mark.func) == "deprecated"]
    notice = ast.literal_eval(notices[0]) if notices else ""
    return {"text": ast.get_docstring(node) or "", "deprecated": notice}


def _is_public(name: str, node: ast.stmt) -> bool:
    if name.startswith("__"):
        protocol = name not in dir(object) and not name.startswith("__attrs")
        return isinstance(node, Function) and (protocol or name == "__init__")
    return not name.startswith("_")


def _set_by_constructor(node: ast.ClassDef) -> Iterator[ast.stmt]:
    """Yield `self.name = parameter` and `self.name: type` as the declarations they stand for."""
    for made in node.body:
        if isinstance(made, ast.FunctionDef) and made.name == "__init__":
            types = {one.arg: one.annotation for one in [*made.args.args, *made.args.kwonlyargs]}
            for one in made.body:
                match one:
                    case ast.Assign(targets=[ast.Attribute(ast.Name("self"), name)], value=value):
                        kind = types.get(value.id) if isinstance(value, ast.Name) else None
                    case ast.AnnAssign(target=ast.Attribute(ast.Name("self"), name)):
                        kind = one.annotation
                    case _:
                        continue
                target = ast.Name(name)
                shown = ast.AnnAssign(target, kind or ast.Constant(...), simple=1)
                yield ast.copy_location(shown, one)


def _result(node: Function, result: str) -> str:
    return ast.unparse(node.returns) if node.returns and node.name != "__init__" else result


def _parameters(taken: ast.arguments) -> Iterator[tuple[str, ast.arg, str, str]]:
    """Yield parameters: name, declaration, default or "", and place or ""."""
    by_place = [*taken.posonlyargs, *taken.args]
    defaults = [*[None] * (len(by_place) - len(taken.defaults)), *taken.defaults]
    for place, (one, default) in enumerate(zip(by_place, defaults, strict=True)):
        yield one.arg, one, ast.unparse(default) if default else "", str(place)
    for one, default in zip(taken.kwonlyargs, taken.kw_defaults, strict=True):
        yield one.arg, one, ast.unparse(default) if default else "", ""
    for stars, rest in (("*", taken.vararg), ("**", taken.kwarg)):
        if rest:
            yield stars + rest.arg, rest, "()", ""
