"""Two lists of public names, compared."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, cast

import attrs

from codegen.apidiff.rules import RULES, Rule, Verdict
from codegen.apidiff.types import relation
from codegen.ir import Limits
from codegen.package_symbols import Symbol

__all__ = [
    "Change",
    "compare",
    "verdict_of",
]

TYPES: Final = ("gives", "takes")
"""Traits that are annotations."""
NAMED: Final = (*TYPES, "base", "payload", "row", "value")
"""Traits that name classes."""
EACH: Final = ("errors", "ids", "none_on", "refs")
"""Traits with several values, each of which comes or goes."""
WHOLE: Final = ("base", "server", "value", "wire")
"""Traits that are another one when they come or go."""
TEXTS: Final = ("since", "text")
SPOKEN: Final = {"event", "scheme", "server", "wire"}
"""Traits of what a server knows of."""
ALL_OF_IT: Final = {"row", *SPOKEN}
"""The same of what comes or goes: a resource, too, whose methods are not listed then."""
ADDED: Final = {"event": "added event", "field": "added field", "value": "added value"}
MOVABLE: Final = ("attribute", "class", "event", "function", "union")
"""Kinds of names that are known by what they do, wherever they stand."""


Values = tuple[object, ...]


@attrs.frozen(kw_only=True)
class Change:
    """A change of a public name."""

    kind: str
    """The rule for it."""
    name: str
    old: str = ""
    new: str = ""
    until: str = ""
    """Of an old name: the release that removes it."""
    before: Symbol | None = attrs.field(default=None, eq=False)
    now: Symbol | None = attrs.field(default=None, eq=False)

    @property
    def symbol(self) -> Symbol:
        """What it is about; of what was removed, as it was."""
        return self.now or self.before or Symbol(path="", kind="")

    @property
    def rule(self) -> Rule:
        """Its meaning."""
        return RULES[self.kind]

    @property
    def text(self) -> str:
        """A sentence."""
        return self.rule.say.format_map(self._words())

    @property
    def advice(self) -> str:
        """How to adapt to it."""
        return self.rule.do.format_map(self._words())

    @property
    def wire(self) -> str:
        """What else has to fit, if a server has to do with it."""
        spoken = ALL_OF_IT if self.kind in ("added", "removed") else SPOKEN
        return self.rule.wire if spoken & self.symbol.traits.keys() else ""

    def _words(self) -> dict[str, str]:
        symbol = self.symbol
        return {
            "name": self.name,
            "old": self.old,
            "new": self.new,
            "where": f" ({symbol.wire})" if symbol.wire else "",
            "until": self.until,
        }


def compare(
    old: Iterable[Symbol], new: Iterable[Symbol], *, is_same: bool = True, once: bool = True
) -> list[Change]:
    """Return the changes, major ones first, then in the order of the files.

    Args:
        old: The public names, as they were.
        new: As they are.
        is_same: Whether nothing changed that has no name.
        once: Whether to leave out what is said of another name already.
    """
    changes = list(_Comparison(old, new).changes())
    changes = _once(changes) if once else changes
    if not (changes or is_same):
        changes = [Change(kind="inside", name="")]
    return sorted(changes, key=lambda c: (-c.rule.verdict, c.symbol.location, c.text))


def verdict_of(changes: Iterable[Change]) -> Verdict:
    """Return the verdict on all changes of a release."""
    return max((change.rule.verdict for change in changes), default=Verdict.NONE)


def _once(changes: list[Change]) -> list[Change]:
    """Leave out what is said of the sync class, or of the method that takes a field, too."""
    said = {(c.kind, c.name, c.old, c.new) for c in changes}
    passed = {_last(c) for c in changes if c.symbol.kind == "parameter"}
    kept: list[Change] = []
    for change in dict.fromkeys(changes):
        words = (change.kind, change.name, change.old, change.new)
        sync = tuple(re.sub(r"\bAsync(?=[A-Z])", "", word) for word in words)
        is_entry = change.symbol.kind == "entry" and _last(change) in passed
        if not is_entry and (sync == words or sync not in said):
            kept.append(change)
    return kept


def _last(change: Change) -> tuple[str, ...]:
    """Return a change without what the name is a part of."""
    parts = (
        re.sub(r"^\w+[.(].*?(\w+)(=\))?$", r"\1", t) for t in (change.name, change.old, change.new)
    )
    return (change.kind, *parts)


class _Comparison:
    def __init__(self, old: Iterable[Symbol], new: Iterable[Symbol]) -> None:
        self._old: Final = {symbol.path: symbol for symbol in old}
        self._new: Final = {symbol.path: symbol for symbol in new}
        self._aliases: Final = (_aliases(self._old.values()), _aliases(self._new.values()))
        self._pairs: Final[dict[str, Symbol]] = {}
        """By its old path: what a name is now."""

    def changes(self) -> Iterator[Change]:
        """Yield all changes."""
        self._pair_all()
        names = {path: now.path for path, now in self._pairs.items() if now.path.isidentifier()}
        for symbol in self._old.values():
            now = self._pairs.get(symbol.path)
            if now:
                yield from self._renamed(symbol, now)
                yield from _changed_traits(symbol, now, names, self._aliases)
            elif symbol.owner not in self._old or symbol.owner in self._pairs:
                yield self._gone(symbol)
        paired = {now.path for now in self._pairs.values()}
        for symbol in self._new.values():
            is_whole = symbol.owner not in self._new or symbol.owner in paired
            if symbol.path not in paired and is_whole and not symbol.now:
                yield Change(kind=self._adding(symbol), name=symbol.path, now=symbol)

    def _pair_all(self) -> None:
        """Pair classes, then what is in them, then parameters."""
        for depth in range(3):
            level = [symbol for symbol in self._old.values() if self._depth(symbol) == depth]
            for symbol in level:
                self._pair(symbol, self._new.get(self._path(symbol)))
            taken = {now.path for now in self._pairs.values()}
            for symbol in level:
                if symbol.path not in self._pairs:
                    self._pair(symbol, self._elsewhere(symbol, taken))

    def _depth(self, symbol: Symbol) -> int:
        owner = self._old.get(symbol.owner)
        return 1 + self._depth(owner) if owner else 0

    def _path(self, symbol: Symbol) -> str:
        """Return the path that a name has now, if it was not renamed itself."""
        owner = self._pairs.get(symbol.owner)
        if not owner:
            return symbol.path
        return owner.path.removesuffix("()") + symbol.path[len(symbol.owner.removesuffix("()")) :]

    def _pair(self, symbol: Symbol, now: Symbol | None) -> None:
        if now and now.now and not symbol.now:
            now = self._new[now.now]
        if now and bool(now.now) == bool(symbol.now):
            self._pairs[symbol.path] = now

    def _elsewhere(self, symbol: Symbol, taken: set[str]) -> Symbol | None:
        """Return what a name that is gone is now: something inherited, or what does the same."""
        owner = self._pairs.get(symbol.owner)
        for base in self._bases(owner) if owner else ():
            inherited = self._new.get(base + symbol.path.removeprefix(symbol.owner))
            if inherited:
                return inherited
        same = [
            one
            for one in self._new.values()
            if one.same == symbol.same != "" and one.kind == symbol.kind and one.path not in taken
        ]
        beside = [one for one in same if owner and one.owner == owner.path]
        return next(iter(beside or (same if symbol.kind in MOVABLE else [])), None)

    def _bases(self, symbol: Symbol) -> Iterator[str]:
        """Yield the public classes that a class is made of, now."""
        for base in re.findall(r"\w+", str(symbol.traits.get("base", ""))):
            yield base
            yield from self._bases(self._new[base]) if base in self._new else ()

    def _renamed(self, symbol: Symbol, now: Symbol) -> Iterator[Change]:
        owner, member = self._pairs.get(symbol.owner), symbol.path.removeprefix(symbol.owner)
        if owner and now.path in {base + member for base in self._bases(owner)}:
            # It is inherited, and has its name.
            return
        if self._path(symbol) != now.path and (symbol.same or symbol.path in self._new):
            alias = self._new.get(self._path(symbol))
            until = str(alias.traits["until"]) if alias and alias.now else ""
            yield Change(
                kind="renamed" if until else "renamed at once",
                name=now.path,
                old=symbol.path,
                new=now.path,
                until=until,
                before=symbol,
                now=now,
            )

    def _gone(self, symbol: Symbol) -> Change:
        kind = "alias dropped" if symbol.now else "removed"
        now = self._pairs.get(symbol.now)
        return Change(
            kind=kind, name=symbol.path, old=symbol.path, new=now.path if now else "", before=symbol
        )

    def _adding(self, symbol: Symbol) -> str:
        if symbol.kind == "value" and not self._new[symbol.owner].traits["open"]:
            return "value of a closed enum"
        traits = symbol.traits
        if traits.get("required") and not traits.get("generate"):
            return "required parameter"
        return ADDED.get(symbol.kind, "added")


Aliases = tuple[Mapping[str, str], Mapping[str, str]]
"""The unions that have a name, before and now."""


def _aliases(symbols: Iterable[Symbol]) -> dict[str, str]:
    texts = (one.text.partition(" = ") for one in symbols if one.kind in ("attribute", "union"))
    return {name: value for name, _, value in texts if name.isidentifier() and " | " in value}


def _spelt_out(annotation: str, aliases: Mapping[str, str]) -> str:
    """Return an annotation with what names of unions stand for."""
    return re.sub(r"\w+", lambda match: aliases.get(match[0], match[0]), annotation)


def _changed_traits(
    before: Symbol, now: Symbol, names: Mapping[str, str], aliases: Aliases
) -> Iterator[Change]:
    for trait in before.traits.keys() & now.traits.keys():
        old: object = before.traits[trait]
        new: object = now.traits[trait]
        if trait in NAMED:
            old = re.sub(r"\w+", lambda match: names.get(match[0], match[0]), str(old))
        for kind, was, value in _findings(trait, old, new, aliases) if old != new else ():
            yield Change(kind=kind, name=now.path, old=was, new=value, before=before, now=now)


def _findings(
    trait: str, old: object, new: object, aliases: Aliases
) -> Iterator[tuple[str, str, str]]:
    """Yield the rules for a change of a trait, with the old and the new value."""
    if trait == "limits":
        yield from _limits(dict(cast("Limits", old)), dict(cast("Limits", new)))
    elif trait in EACH:
        was, now = _elements(cast("Values", old)), _elements(cast("Values", new))
        yield from ((f"{trait} on", "", value) for value in now if value not in was)
        yield from ((f"{trait} off", value, "") for value in was if value not in now)
    elif trait == "base" and _classes(old) <= _classes(new):
        yield "base on", "", str(new)
    elif trait in TYPES and old and new:
        kind = relation(_spelt_out(str(old), aliases[0]), _spelt_out(str(new), aliases[1]))
        yield from [(f"{trait} {kind}", str(old), str(new))] if kind != "same" else ()
    elif trait in TEXTS or (trait == "deprecated" and old and new):
        yield "text", "", ""
    elif trait in RULES and ((old and new) or trait in WHOLE):
        yield trait, str(old), str(new)
    else:
        # A value that is another one now has gone, and another one has come.
        yield from [(f"{trait} off", str(old), "")] if old and f"{trait} off" in RULES else ()
        yield from [(f"{trait} on", "", str(new))] if new and f"{trait} on" in RULES else ()


def _classes(bases: object) -> set[str]:
    call = ast.parse(f"_({bases})", mode="eval").body
    return {ast.unparse(one) for one in cast("ast.Call", call).args}


def _elements(values: Values) -> list[str]:
    pairs = (cast("tuple[str, ...]", one if isinstance(one, tuple) else (one,)) for one in values)
    return [" by ".join(map(str, pair)) for pair in pairs]


def _limits(old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[tuple[str, str, str]]:
    for key in dict.fromkeys((*old, *new)):
        before, now = cast("float | None", old.get(key)), cast("float | None", new.get(key))
        if before != now and key.endswith("default"):
            # The server's, which the server applies.
            yield "text", "", ""
        elif before != now:
            raised = before is None or (now is not None and now > before)
            lowered = before is None or (now is not None and now < before)
            kind = "limits tighter" if (raised if "min" in key else lowered) else "limits looser"
            yield kind, _limit(key, before), _limit(key, now)


def _limit(key: str, value: float | None) -> str:
    return "none" if value is None else f"{key} {value}"
