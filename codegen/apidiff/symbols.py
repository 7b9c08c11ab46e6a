"""An API as the names that somebody can type, each with all that may change about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

import attrs

from codegen.diagnostics import Location
from codegen.ir import Old

__all__ = ["Named", "Symbol", "age", "named"]

TYPES: Final = frozenset({"base", "gives", "result", "row", "takes"})
"""Traits that are annotations."""


@attrs.frozen(kw_only=True, eq=False)
class Symbol:
    """One public name."""

    key: str
    """Tells it from its siblings, and finds it in another API."""
    name: str
    """How it is written."""
    called: str = ""
    """How it is written where that is not its name: the attribute that leads to it."""
    mark: Location
    where: str = ""
    """What it is over HTTP, or on a channel."""
    before: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """Keys that it had and still answers to, each with the release that ends that."""
    moved: tuple[str, ...] = ()
    """Keys that it had while what it belongs to had another name."""
    same: str = ""
    """What stays when only its name changes."""
    adding: str = "added"
    """The rule for its coming."""
    traits: Mapping[str, object] = attrs.field(factory=dict[str, object])
    """What may change about it, by the name of the rule that judges it."""
    parts: tuple[Symbol, ...] = ()
    """What belongs to it, and does not count when it comes or goes as a whole."""

    def in_terms_of(self, names: Mapping[str, str]) -> Symbol:
        """The same, with the names that classes have now in all types."""
        types = {key: _renamed(str(self.traits[key]), names) for key in self.traits.keys() & TYPES}
        parts = tuple(part.in_terms_of(names) for part in self.parts)
        return attrs.evolve(self, traits={**self.traits, **types}, parts=parts)


def _renamed(annotation: str, names: Mapping[str, str]) -> str:
    return re.sub(r"\w+", lambda found: names.get(found[0], found[0]), annotation)


@attrs.frozen
class Named:
    """The name of a class, and those that it had."""

    name: str
    before: dict[str, str]
    """Each with the release that ends it."""


def named(name: str, old: Old) -> Named:
    """The name of a class, by its age."""
    return Named(name, {alias.name: alias.until for alias in old.classes})


def age(old: Old, doc: Iterable[str], *, is_class: bool = False) -> dict[str, object]:
    """What can change about nearly everything: whether it is on its way out, and its text."""
    aliases = old.classes if is_class else old.names
    return {
        "deprecated": old.deprecated,
        "aliases": tuple(alias.name for alias in aliases),
        "text": tuple(doc),
    }
