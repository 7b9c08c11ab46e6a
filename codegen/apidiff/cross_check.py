"""griffe's own list of breaking changes beside ours: neither may see what the other does not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import griffe

from codegen.apidiff.compare import Change
from codegen.apidiff.rules import Verdict
from codegen.package_symbols import PACKAGE, Package, Symbol
from codegen.print_sync import SYNC_NAMES

__all__ = [
    "disagreements",
]

NO_BREAK: Final = {
    # A default is how a call behaves, not whether it works; we report it as minor.
    griffe.BreakageKind.PARAMETER_CHANGED_DEFAULT,
}
"""Kinds that griffe calls a breaking change, and we do not.

What griffe does not see at all has no `griffe` among the rules: types of parameters, attributes and
results, bases, overloads, and whatever only the spec knows.
"""


def disagreements(
    folders: tuple[Path, Path],
    symbols: tuple[Iterable[Symbol], Iterable[Symbol]],
    changes: Iterable[Change],
) -> list[str]:
    """Return the breaking changes that only one of us sees.

    Args:
        folders: What holds the package, as it was and as it is.
        symbols: The public names, as they were and as they are.
        changes: What we found.
    """
    old, new = symbols
    # The old name of a class is an alias of the new one, which griffe takes for another thing.
    known = {_plain(s.path) for s in (*old, *new)} - {_plain(s.path) for s in new if s.now}
    major = [change for change in changes if change.rule.verdict is Verdict.MAJOR]
    ours = {_plain(s.path) for c in major for s in (c.before, c.now) if s and "==" not in s.path}
    told = {path: kind for found, kind in _breakages(*folders) for path in _public(found, known)}
    lines = [
        f"only griffe sees this break: {path}: {kind}"
        for path, kind in told.items()
        if not any(_touch(path, one) or _inherited(path, one, known) for one in ours)
    ]
    for change in major:
        path = _plain(change.before.path if change.before else change.name)
        if change.rule.griffe and "==" not in path and not any(_touch(path, one) for one in told):
            lines.append(f"griffe does not see this break: {change.text}")
    return lines


def _public(path: str, known: set[str]) -> set[str]:
    """Return the public names of what griffe names, which may be in a private base."""
    if path.partition(".")[0] in known or path.partition("(")[0] in known:
        return {path} if path in known or "." in path else set()
    return {one for one in known if "." in path and _member(one) == _member(path)}


def _touch(path: str, other: str) -> bool:
    """Return whether these are the same name, or one is a part of the other."""
    long, short = max(path, other, key=len), min(path, other, key=len)
    return long == short or long.startswith((f"{short}.", f"{short}("))


def _inherited(path: str, other: str, known: set[str]) -> bool:
    """Return whether the one is what a public class inherits, and the other may be its source."""
    return path not in known and "." in other and _member(path) == _member(other)


def _member(path: str) -> str:
    return path.partition(".")[2]


def _plain(path: str) -> str:
    """Return a path without its module, and as that of the sync class."""
    owner, _, member = re.sub(r"^(?:[a-z_]+\.)+|\bAsync(?=[A-Z])|\(\)$", "", path).partition(".")
    return f"{owner}.{SYNC_NAMES.get(member, member)}" if member else owner


def _breakages(old: Path, new: Path) -> Iterator[tuple[str, str]]:
    before, now = _loaded(old), _loaded(new)
    package, kept = Package(old), Package(new).modules("", "testing")
    for module in ("", *package.modules("", "testing")):
        if module and module not in kept:
            names = package.exports(f"{PACKAGE}.{module}")
            yield from ((name, "Public module was removed") for name in names)
            continue
        pair = [one[module] if module else one for one in (before, now)]
        for found in griffe.find_breaking_changes(*pair):
            # Python itself passes what most special methods take.
            path = _path(found)
            is_special = re.search(r"__(?<!\.__call__)\(", path)
            # What every object has is listed by griffe alone.
            is_common = path.rpartition(".")[2] in dir(object)
            if not (found.kind in NO_BREAK or is_special or is_common):
                yield path, found.kind.value


def _loaded(folder: Path) -> griffe.Object | griffe.Alias:
    loader = griffe.GriffeLoader(search_paths=[folder], allow_inspection=False)
    module = loader.load(PACKAGE, try_relative_path=False)
    loader.resolve_aliases(external=False)
    return module


def _path(found: griffe.Breakage) -> str:
    names: list[str] = []
    owner: griffe.Object | None = found.obj
    while owner and not owner.is_module:
        names.insert(0, owner.name)
        owner = owner.parent
    values = (value for value in (found.old_value, found.new_value))
    changed = next((value for value in values if isinstance(value, griffe.Parameter)), None)
    path = _plain(".".join(names).removesuffix(".__init__"))
    return f"{path}({changed.name}=)" if changed else path
