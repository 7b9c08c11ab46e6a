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
    """Something that is not as it was."""

    kind: str
    """The rule for it."""
    name: str
    old: str = ""
    new: str = ""
    where: str = ""
    until: str = ""
    mark: Location = NOWHERE
    """Where the new spec says so; of what is gone, where the old one did."""

    @property
    def rule(self) -> Rule:
        """What it means."""
        return RULES[self.kind]

    @property
    def text(self) -> str:
        """It in words."""
        where = f" ({self.where})" if self.where else ""
        return self.rule.say.format(
            name=self.name, old=self.old, new=self.new, where=where, until=self.until
        )

    @property
    def advice(self) -> str:
        """What has to be done."""
        return self.rule.do.format(until=self.until)


def compare(old: Api, new: Api) -> list[Change]:
    """What changed, the gravest first, then in the order of the files."""
    names = class_names(new)
    before = tuple(symbol.in_terms_of(names) for symbol in symbols_of(old))
    changes = list(dict.fromkeys(_compare(before, symbols_of(new))))
    if not changes and old != new:
        changes = [Change(kind="inside", name="")]
    return sorted(changes, key=lambda change: (-change.rule.verdict, change.mark, change.text))


def verdict_of(changes: Iterable[Change]) -> Verdict:
    """What a release needs that has all of them."""
    return max((change.rule.verdict for change in changes), default=Verdict.NONE)


def _compare(old: Sequence[Symbol], new: Sequence[Symbol]) -> Iterator[Change]:
    pairs, gone, come = _paired(old, new)
    for before, now in pairs:
        yield from _renamed(before, now)
        for trait in before.traits.keys() & now.traits.keys():
            for found in findings(trait, before.traits[trait], now.traits[trait]):
                yield _found(found, now)
        yield from _compare(before.parts, now.parts)
    for symbol in gone:
        yield Change(kind="removed", name=symbol.name, where=symbol.where, mark=symbol.mark)
    for symbol in come:
        yield Change(kind=symbol.adding, name=symbol.name, where=symbol.where, mark=symbol.mark)


def _found(found: Finding, symbol: Symbol) -> Change:
    return Change(
        kind=found.rule,
        name=symbol.name,
        old=found.old,
        new=found.new,
        until=found.until,
        mark=symbol.mark,
    )


def _renamed(before: Symbol, now: Symbol) -> Iterator[Change]:
    if before.key in (now.key, *now.moved):
        return
    kind = "renamed" if before.key in now.before else "renamed at once"
    until = now.before.get(before.key, "")
    old, new = before.called or before.name, now.called or now.name
    yield Change(kind=kind, name=now.name, old=old, new=new, until=until, mark=now.mark)


def _paired(
    old: Sequence[Symbol], new: Sequence[Symbol]
) -> tuple[list[tuple[Symbol, Symbol]], list[Symbol], list[Symbol]]:
    """What belongs together: by name, by an old name, by what it is; and what is left over."""
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
