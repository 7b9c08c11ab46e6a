"""`make bench`: the thirteen targets, each pair side by side in one run (3 min).

Both sides of a pair are processes of their own that take turns, so that whatever slows the machine
down slows both; they are started anew a few times. A round is one turn of each; the table has the
median of the rounds' ratios and their range. `python -m tests.bench 1 6` measures targets 1 and 6
only. See README.md beside this.
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
from tests.bench.worker import worker

PAIRS: Final = 3
"""How often the processes are started anew: where things lie in its memory makes one process some
per cent quicker than another, for as long as it lives."""

RESULTS: Final = Path(__file__).parents[2] / "build" / "bench.json"


@attrs.frozen
class Result:
    """What one target came to."""

    target: Target
    sides: dict[str, list[float]]
    """What each side measured, round by round: seconds, bytes, or a rate."""

    @property
    def ratios(self) -> list[float]:
        ours, *beside = self.sides.values()
        if not beside:
            return ours
        return [mine / other for mine, other in zip(ours, beside[0], strict=True)]

    @property
    def measured(self) -> float:
        return statistics.median(self.ratios)

    @property
    def line(self) -> str:
        target, ratios = self.target, self.ratios
        sign = "≤" if target.at_most else "≥"
        verdict = "met" if target.is_met(self.measured) else "MISSED"
        return (
            f"| {target.number} | {target.work} | {sign} {target.limit:g}{target.unit} "
            f"| {self.measured:.2f} ({min(ratios):.2f} to {max(ratios):.2f}) | {verdict} |"
        )


def run(target: Target, base: str) -> Result:
    """Measure one target."""
    sides: dict[str, list[float]] = {side: [] for side in target.sides}
    for _ in range(PAIRS):
        with ExitStack() as stack:
            measures = {
                side: stack.enter_context(worker(f"tests.bench.{side}", base)) for side in sides
            }
            for number in range(-(-target.rounds // PAIRS)):
                turns = list(measures.items())
                for side, measure in turns if number % 2 else turns[::-1]:
                    sides[side].append(measure())
    return Result(target, sides)


def written(results: list[Result]) -> str:
    """Everything that was measured, as JSON."""
    rows = [
        attrs.asdict(result.target)
        | {
            "measured": result.measured,
            "met": result.target.is_met(result.measured),
            "ratios": result.ratios,
            "rounds_of": result.sides,
        }
        for result in results
    ]
    about = {"at": datetime.now(UTC).isoformat(), "python": sys.version, "on": platform.platform()}
    return json.dumps({**about, "targets": rows}, indent=1)


def main() -> int:
    """Run them all, and return 1 when one was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("number", nargs="*", type=int, help="only these targets")
    parser.add_argument("--json", type=Path, default=RESULTS, help="where all figures go")
    chosen = parser.parse_args()
    results: list[Result] = []
    print("| # | work | target | measured (range) | |\n| --- | --- | --- | --- | --- |")
    with canned_server() as base:
        for target in TARGETS:
            if target.number in (chosen.number or range(1, 14)):
                results.append(run(target, base))
                print(results[-1].line, flush=True)
    chosen.json.parent.mkdir(parents=True, exist_ok=True)
    chosen.json.write_text(written(results))
    print(f"\n{chosen.json}")
    return int(any(not result.target.is_met(result.measured) for result in results))


if __name__ == "__main__":
    sys.exit(main())
