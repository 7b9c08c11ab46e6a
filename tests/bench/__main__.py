"""`make bench`: the targets, each pair side by side in one run (4 min).

Both sides of a pair are processes of their own that take turns, so that whatever slows the machine
down slows both; they are started anew a few times. A round is one turn of each; the table has the
median of the rounds' ratios and their range, of the CPU time and of what else was measured, mostly
the time on the clock. `python -m tests.bench 1 6` measures targets 1 and 6 only. See README.md
beside this.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import attrs

from tests.bench.canned import canned_server
from tests.bench.targets import TARGETS, Target
from tests.bench.worker import Turn, worker

PAIRS: Final = 3
"""How often the processes are started anew: where things lie in its memory makes one process some
per cent quicker than another, for as long as it lives."""

RESULTS: Final = Path(__file__).parents[2] / "build" / "bench.json"


@attrs.frozen
class Result:
    """What one target came to."""

    target: Target
    sides: list[list[Turn]]
    """What each side measured, round by round; ours first."""

    @property
    def rounds(self) -> list[tuple[Turn, Turn | None]]:
        ours, *beside = self.sides
        return list(zip(ours, beside[0] if beside else [None] * len(ours), strict=True))

    @property
    def by_cpu(self) -> list[float]:
        return [self.target.by_cpu(*turns) for turns in self.rounds]

    @property
    def by_value(self) -> list[float]:
        return [self.target.by_value(*turns) for turns in self.rounds]

    @property
    def is_met(self) -> bool:
        chosen = self.by_cpu if self.target.by == "cpu" else self.by_value
        return self.target.is_met(statistics.median(chosen))

    @property
    def line(self) -> str:
        target = self.target
        sign = "≤" if target.at_most else "≥"
        cpu = shown(self.by_cpu) if target.by == "cpu" else "-"
        return (
            f"| {target.number} | {target.work} | {sign} {target.limit:g}{target.unit} "
            f"| {cpu} | {shown(self.by_value)} | {'met' if self.is_met else 'MISSED'} |"
        )


def shown(ratios: list[float]) -> str:
    """The median, and the range."""
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def run(target: Target, base: str) -> Result:
    """Measure one target."""
    sides: dict[str, list[Turn]] = {side: [] for side in target.sides}
    for _ in range(PAIRS):
        with ExitStack() as stack:
            measures = {
                side: stack.enter_context(worker(f"tests.bench.{side}", base)) for side in sides
            }
            for number in range(-(-target.rounds // PAIRS)):
                turns = list(measures.items())
                for side, measure in turns if number % 2 else turns[::-1]:
                    sides[side].append(measure())
    return Result(target, list(sides.values()))


def written(results: list[Result]) -> str:
    """Everything that was measured, as JSON."""
    rows = [
        attrs.asdict(result.target)
        | {
            "met": result.is_met,
            "by_cpu": result.by_cpu,
            "by_value": result.by_value,
            "turns_of": dict(zip(result.target.sides, result.sides, strict=True)),
        }
        for result in results
    ]
    about = {"at": datetime.now(UTC).isoformat(), "python": sys.version, "on": platform.platform()}
    return json.dumps({**about, "targets": rows}, indent=1)


def main() -> int:
    """Run them all, and return 1 when one was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("number", nargs="*", help="only these targets")
    parser.add_argument("--json", type=Path, default=RESULTS, help="where all figures go")
    chosen = parser.parse_args()
    results: list[Result] = []
    print("| # | work | target | CPU time (range) | measured (range) | |")
    print("| --- | --- | --- | --- | --- | --- |")
    with canned_server() as base:
        for target in TARGETS:
            if not chosen.number or target.number in chosen.number:
                results.append(run(target, base))
                print(results[-1].line, flush=True)
    chosen.json.parent.mkdir(parents=True, exist_ok=True)
    chosen.json.write_text(written(results))
    print(f"\n{chosen.json}")
    return int(not all(result.is_met for result in results))


if __name__ == "__main__":
    sys.exit(main())
