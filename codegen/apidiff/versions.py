"""Versions: which one a verdict asks for."""

from __future__ import annotations

import re
from typing import Final

import attrs

from codegen.apidiff.rules import Verdict

__all__ = ["Release", "release_of"]

ASSIGNED: Final = re.compile(r'^version(?::\s*\w+)?\s*=\s*"([^"]*)"', re.MULTILINE)


@attrs.frozen(order=True)
class Release:
    """A semantic version, without what may come after its three numbers."""

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
        """Which part of the version a verdict moves."""
        lower = self.is_early and verdict > Verdict.PATCH
        return Verdict(verdict - 1) if lower else verdict

    def after(self, verdict: Verdict) -> Release:
        """The first version that may have such changes."""
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
    """The version in words, or in a module that assigns it.

    Raises:
        ValueError: It is none.
    """
    assigned = ASSIGNED.search(text)
    found = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", assigned[1] if assigned else text)
    if not found:
        raise ValueError(f"not a version: {text!r}")
    return Release(int(found[1]), int(found[2]), int(found[3] or 0))
