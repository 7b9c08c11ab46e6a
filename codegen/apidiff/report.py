"""The report: by how users reach a thing, as a draft for the changelog, and as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import attrs

from codegen.apidiff.compare import Change, verdict_of
from codegen.apidiff.rules import Verdict
from codegen.naming import snake
from codegen.package_symbols import Symbol

__all__ = [
    "Release",
    "Report",
    "reached",
    "release_of",
]

ASSIGNED: Final = re.compile(r'^version(?::\s*\w+)?\s*=\s*"([^"]*)"', re.MULTILINE)


@attrs.frozen(order=True)
class Release:
    """A semantic version, without pre-release and build."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    @property
    def is_early(self) -> bool:
        """Whether it is before 1.0, where breaking changes go into minor versions."""
        return not self.major

    def part_for(self, verdict: Verdict) -> Verdict:
        """Return which part of the version a verdict moves."""
        lower = self.is_early and verdict > Verdict.PATCH
        return Verdict(verdict - 1) if lower else verdict

    def after(self, verdict: Verdict) -> Release:
        """Return the first version that may have such changes."""
        match self.part_for(verdict):
            case Verdict.MAJOR:
                return Release(self.major + 1, 0, 0)
            case Verdict.MINOR:
                return Release(self.major, self.minor + 1, 0)
            case Verdict.PATCH:
                return Release(self.major, self.minor, self.patch + 1)
            case _:
                return self


def release_of(text: str) -> Release:
    """Parse a version, or a module that assigns it.

    Raises:
        ValueError: It is none.
    """
    assigned = ASSIGNED.search(text)
    match = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", assigned[1] if assigned else text)
    if not match:
        raise ValueError(f"not a version: {text!r}")
    return Release(int(match[1]), int(match[2]), int(match[3] or 0))


ROOTS: Final = {"Poolse": "chat", "PoolseBackend": "backend"}
"""What examples call the clients."""


def reached(symbols: Iterable[Symbol]) -> dict[str, str]:
    """Return how users reach the objects of each class that they do not make themselves."""
    symbols = list(symbols)
    classes = {symbol.path for symbol in symbols if symbol.kind == "class"}
    paths = dict(ROOTS)
    # From attribute to attribute: as deep as resources are.
    for _ in range(4):
        for symbol in symbols:
            # What a class inherits is reached like the class.
            for base in re.findall(r"\w+", str(symbol.traits.get("base", ""))):
                if base in classes and symbol.path in paths:
                    paths.setdefault(base, paths[symbol.path])
            result = str(symbol.traits.get("gives", ""))
            if result in classes and result not in paths:
                way = paths.get(symbol.owner, "")
                if symbol.path.endswith(".one()"):
                    paths[result] = snake(result.removesuffix("Handle"))
                elif way and (symbol.kind == "attribute" or "argument" in symbol.traits):
                    paths[result] = way + symbol.path.removeprefix(symbol.owner)
    fields = {symbol.owner for symbol in symbols if symbol.kind == "field"}
    return {**{name: snake(name) for name in fields}, **paths}


GROUPS: Final = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
WIRE: Final = {
    "server": "needs a server of {} or later",
    "clients": "a server of {} may not suit older clients",
    "both": "needs a server of {} or later, which may not suit older clients",
}


@attrs.frozen(kw_only=True)
class Report:
    """Two APIs, compared."""

    changes: Sequence[Change]
    server: str
    """The version of the new API."""
    old: Release | None
    """The release that the old spec belongs to, if that is known."""
    now: Release | None
    """The current version of the library."""
    ways: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """How users reach the objects of classes."""

    @property
    def verdict(self) -> Verdict:
        """The verdict on all changes."""
        return verdict_of(self.changes)

    @property
    def needed(self) -> Release | None:
        """The first version that may have them."""
        return self.old.after(self.verdict) if self.old else None

    @property
    def is_below(self) -> bool:
        """Whether the current version is too low for the changes."""
        return bool(self.needed and self.now and self.now < self.needed)

    @property
    def wire(self) -> list[str]:
        """Changes that older clients or servers notice."""
        return [
            f"{change.text}; {WIRE[change.wire].format(self.server)}"
            for change in self.changes
            if change.wire
        ]

    def way(self, change: Change) -> str:
        """Return how users reach what changed."""
        owner, dot, name = re.sub(r"\(\w+=\)$", "()", change.symbol.path).partition(".")
        return self.ways.get(owner, owner) + dot + name

    def text(self) -> str:
        """Return the report as text."""
        groups: dict[str, list[Change]] = {}
        for change in self.changes:
            groups.setdefault(self.way(change), []).append(change)
        lines = [line for way, changes in groups.items() for line in _group(way, changes)]
        lines += [f"wire: {line}" for line in self.wire]
        lines += [f"verdict: {self.verdict}{self._moves()}"]
        draft = self.draft()
        return "\n".join([*lines, *(["", draft] if draft else [])])

    def _moves(self) -> str:
        if not (self.old and self.needed):
            return ""
        part = self.old.part_for(self.verdict)
        before = f", which before 1.0 is {part}" if part != self.verdict else ""
        now = f"; now it is {self.now}" if self.now else ""
        return f"{before}: from {self.old} to at least {self.needed}{now}"

    def draft(self) -> str:
        """Return a draft for the changelog."""
        parts: list[str] = []
        for group in GROUPS:
            lines = dict.fromkeys(f"- {c.text}." for c in self.changes if c.rule.group == group)
            if lines:
                parts.append("\n".join([f"### {group}", "", *lines, ""]))
        return "\n".join(parts).rstrip()

    def json(self) -> str:
        """Return the report as JSON."""
        content = {
            "verdict": str(self.verdict),
            "from": self.old and str(self.old),
            "needed": self.needed and str(self.needed),
            "now": self.now and str(self.now),
            "changes": [{"way": self.way(change), **_as_json(change)} for change in self.changes],
            "wire": self.wire,
            "changelog": self.draft(),
        }
        return json.dumps(content, indent=2, ensure_ascii=False)


def _group(way: str, changes: list[Change]) -> Iterator[str]:
    yield way or "the whole"
    for change in changes:
        location = change.symbol.location
        place = f"{location}: " if location.line else ""
        yield f"  {place}{change.rule.verdict}: {change.kind}: {change.text}"
        if change.advice:
            yield f"      {change.advice}"
    declared = {(_text(c.before), _text(c.now)) for c in changes if _text(c.before) != _text(c.now)}
    for old, new in sorted(declared):
        yield from (f"    - {line}" for line in old)
        yield from (f"    + {line}" for line in new)


def _text(symbol: Symbol | None) -> tuple[str, ...]:
    return tuple(symbol.text.splitlines()) if symbol else ()


def _as_json(change: Change) -> dict[str, object]:
    location = change.symbol.location
    return {
        "rule": change.kind,
        "verdict": str(change.rule.verdict),
        "group": change.rule.group,
        "name": change.name,
        "old": change.old,
        "new": change.new,
        "text": change.text,
        "advice": change.advice,
        "file": location.file,
        "line": location.line,
        "column": location.column,
    }
