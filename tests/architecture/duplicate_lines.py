"""Lines that occur twice in the package: `make duplicates`.

Compares every pair of modules, and each module with itself, and finds the runs of five or more
equal lines. A line counts if it is in the second place of a run: of a line that occurs three times,
two are too many. Indentation, imports, docstrings, comments and blank lines are left out, and
`async`, `await`, `Async` and `aclose` make no difference. Printed and generated modules are left
out.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Final, NamedTuple

from tests.architecture.sizes import left_out
from tests.architecture.tree import hand_written, name_of

__all__ = ["SHORTEST", "Run", "lines_of", "package_runs", "runs", "total"]

SHORTEST: Final = 5
"""Equal lines that make a run."""

ASYNC: Final = re.compile(r"\b(?:async |await |Async(?=[A-Z])|a(?=close\b))")


class Line(NamedTuple):
    """A line of code as it is compared, and where it is."""

    number: int
    text: str


class Run(NamedTuple):
    """Equal lines of two modules, or of two places of one."""

    first: str
    first_line: int
    second: str
    second_line: int
    length: int
    counted: int = 0
    """Lines of the second place that no longer run has counted."""

    def __str__(self) -> str:
        first, second = f"{self.first}:{self.first_line}", f"{self.second}:{self.second_line}"
        return f"{self.counted:>4} of {self.length:<4} {first:<38} {second}"


def lines_of(source: str) -> list[Line]:
    """The lines of a module that are compared."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    ignored = left_out(source)
    return [
        Line(number, ASYNC.sub("", text.strip()))
        for number, text in enumerate(lines, 1)
        if text.strip() and number not in ignored
    ]


Place = tuple[str, int]
"""A module, and the index of one of its lines."""


def runs(sources: Mapping[str, str]) -> list[Run]:
    """Runs of equal lines, longest first, without those whose lines others have counted."""
    modules = {name: lines_of(source) for name, source in sources.items()}
    counted: set[Place] = set()
    chosen: list[Run] = []
    for run, second in sorted(_all_runs(modules), key=lambda pair: (-pair[0].length, pair[0])):
        name, start = second
        places = {(name, start + offset) for offset in range(run.length)}
        if extra := len(places - counted):
            counted |= places
            chosen.append(run._replace(counted=extra))
    return chosen


def total(found: list[Run]) -> int:
    """Lines that occur a second time."""
    return sum(run.counted for run in found)


def _all_runs(modules: Mapping[str, list[Line]]) -> Iterator[tuple[Run, Place]]:
    """Extend each pair of equal stretches as far as it goes."""
    known: set[tuple[Place, Place]] = set()
    for first, second in sorted(_equal_places(modules)):
        if (first, second) in known:
            continue
        (name, start), (other, begin) = first, second
        ours, theirs = modules[name][start:], modules[other][begin:]
        if name == other:
            ours = ours[: begin - start]  # a run does not overlap itself
        length = 0
        for our, their in zip(ours, theirs, strict=False):
            if our.text != their.text:
                break
            known.add(((name, start + length), (other, begin + length)))
            length += 1
        if length >= SHORTEST:
            yield Run(name, ours[0].number, other, theirs[0].number, length), second


def _equal_places(modules: Mapping[str, list[Line]]) -> Iterator[tuple[Place, Place]]:
    """Places from which on as many lines are equal as make a run."""
    places: dict[tuple[str, ...], list[Place]] = defaultdict(list)
    for name, lines in sorted(modules.items()):
        for index in range(len(lines) - SHORTEST + 1):
            texts = tuple(line.text for line in lines[index : index + SHORTEST])
            places[texts].append((name, index))
    for same in places.values():
        yield from combinations(same, 2)


def package_runs() -> list[Run]:
    """The runs of the package."""
    return runs({name_of(path): path.read_text("utf-8") for path in hand_written("poolse")})


def main() -> None:
    """Print the runs and their sum."""
    found = package_runs()
    print("\n".join(map(str, found)))
    print(f"{total(found):>4} lines occur twice, in runs of {SHORTEST} or more")


if __name__ == "__main__":
    main()
