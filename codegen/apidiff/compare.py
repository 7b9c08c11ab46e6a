"""Two APIs, symbol by symbol."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import attrs

from codegen.apidiff.comparators import Finding, findings
from codegen.apidiff.rules import RULES, Rule, Verdict
from codegen.apidiff.symbols import Symbol, class_names, symbols_of
from codegen.ir import Api
from codegen.yaml_source import Location

__all__ = [
    "Change",
    "compare",
    "verdict_of",
]

NOWHERE: Final = Location("", 0, 0)


@attrs.frozen(kw_only=True)
class Change:
    """A change of the API."""

    kind: str
    """The rule for it."""
    name: str
    old: str = ""
    new: str = ""
    where: str = ""
    until: str = ""
    location: Location = NOWHERE
    """Its place in the new spec; of what was removed, in the old one."""

    @property
    def rule(self) -> Rule:
        """Its meaning."""
        return RULES[self.kind]

    @property
    def text(self) -> str:
        """A sentence."""
        where = f" ({self.where})" if self.where else ""
        return self.rule.say.format(
            name=self.name,
            old=self.old,
            new=self.new,
            where=where,
            until=self.until,
        )

    @property
    def advice(self) -> str:
        """How to adapt to it."""
        return self.rule.do.format(until=self.until)


def compare(old: Api, new: Api) -> list[Change]:
    """Return the changes, major ones first, then in the order of the files."""
    names = class_names(new)
    before = tuple(symbol.in_terms_of(names) for symbol in symbols_of(old))
    changes = list(dict.fromkeys(_compare(before, symbols_of(new))))
    if not changes and old != new:
        changes = [Change(kind="inside", name="")]
    return sorted(changes, key=lambda change: (-change.rule.verdict, change.location, change.text))


def verdict_of(changes: Iterable[Change]) -> Verdict:
    """Return the verdict on all changes of a release."""
    return max((change.rule.verdict for change in changes), default=Verdict.NONE)


def _compare(old: Sequence[Symbol], new: Sequence[Symbol]) -> Iterator[Change]:
    pairs, gone, come = _paired(old, new)
    for before, now in pairs:
        yield from _renamed(before, now)
        for trait in before.traits.keys() & now.traits.keys():
            for finding in findings(trait, before.traits[trait], now.traits[trait]):
                yield _change(finding, now)
        yield from _compare(before.parts, now.parts)
    for symbol in gone:
        yield Change(kind="removed", name=symbol.name, where=symbol.where, location=symbol.location)
    for symbol in come:
        yield Change(
            kind=symbol.adding, name=symbol.name, where=symbol.where, location=symbol.location
        )


def _change(finding: Finding, symbol: Symbol) -> Change:
    return Change(
        kind=finding.rule,
        name=symbol.name,
        old=finding.old,
        new=finding.new,
        until=finding.until,
        location=symbol.location,
    )


def _renamed(before: Symbol, now: Symbol) -> Iterator[Change]:
    if before.key in (now.key, *now.moved):
        return
    kind = "renamed" if before.key in now.before else "renamed at once"
    until = now.before.get(before.key, "")
    old, new = before.called or before.name, now.called or now.name
    yield Change(kind=kind, name=now.name, old=old, new=new, until=until, location=now.location)


def _paired(
    old: Sequence[Symbol], new: Sequence[Symbol]
) -> tuple[list[tuple[Symbol, Symbol]], list[Symbol], list[Symbol]]:
    """Pair symbols by name, by an old name, by meaning. Returns pairs, removed and added ones."""
    gone = {symbol.key: symbol for symbol in old}
    come = {symbol.key: symbol for symbol in new}
    pairs = [(gone.pop(key), come.pop(key)) for key in [*come] if key in gone]
    for symbol in [*come.values()]:
        key = next((key for key in (*symbol.before, *symbol.moved) if key in gone), "")
        if key:
            pairs.append((gone.pop(key), come.pop(symbol.key)))
    same = {symbol.same: symbol.key for symbol in gone.values() if symbol.same}
    for symbol in [*come.values()]:
        key = same.pop(symbol.same, "")
        if key:
            pairs.append((gone.pop(key), come.pop(symbol.key)))
    return pairs, [*gone.values()], [*come.values()]
