"""Diagnostics in a spec: collected, so that all are told at once, and said where they are."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

import attrs

__all__ = ["Diagnostic", "Diagnostics", "Location", "SpecError"]


@attrs.frozen(order=True)
class Location:
    """A place in a file, counted from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@attrs.frozen(order=True)
class Diagnostic:
    """What is wrong, and where."""

    mark: Location
    text: str

    def __str__(self) -> str:
        return f"{self.mark}: {self.text}"


class SpecError(Exception):
    """The spec cannot be used. Its text is one line per mistake."""

    def __init__(self, mistakes: Iterable[Diagnostic]) -> None:
        self.mistakes = sorted(set(mistakes))
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class Diagnostics:
    """Gathers them during a run."""

    def __init__(self) -> None:
        self._found: list[Diagnostic] = []

    def add(self, mark: Location, text: str) -> None:
        """Something is wrong here."""
        self._found.append(Diagnostic(mark, text))

    def unknown(self, mark: Location, text: str, word: str, choices: Iterable[str]) -> None:
        """A word that is none of the choices; says which one may have been meant."""
        close = get_close_matches(word, sorted(choices), n=1)
        self.add(mark, f"{text}. Did you mean {close[0]!r}?" if close else text)

    def raise_if_any(self) -> None:
        """Raise `SpecError` with all of them."""
        if self._found:
            raise SpecError(self._found)
