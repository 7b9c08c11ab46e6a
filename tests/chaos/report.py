"""What came of it, for people."""

from __future__ import annotations

import resource
import textwrap
import traceback
from collections import Counter
from collections.abc import Sequence

import attrs

from tests.chaos.audit import Audit
from tests.chaos.world import World

__all__ = ["Result", "report"]

SHOWN = 10
"""Lines about what went wrong in a round, at most."""


@attrs.define
class Result:
    """What came of one round."""

    flavour: str
    setting: str
    seed: str
    seconds: float = 0.0
    memory: float = 0.0
    """MiB that the process has had at most so far, its backend included."""
    calls: Counter[str] = attrs.field(factory=Counter[str])
    """Calls that worked, by what they do."""
    given_up: int = 0
    """Calls that raised a NetworkError in the end, which is right."""
    retries: int = 0
    reconnects: int = 0
    restarts: int = 0
    faults: Counter[str] = attrs.field(factory=Counter[str])
    cuts: Counter[str] = attrs.field(factory=Counter[str])
    """Byte offsets at which a send was cut, one after the other."""
    audit: Audit = attrs.field(factory=Audit)
    leaks: list[str] = attrs.field(factory=list[str])
    wrong: list[str] = attrs.field(factory=list[str])

    @property
    def is_clean(self) -> bool:
        """Whether all is as it has to be."""
        return not self.complaints

    @property
    def complaints(self) -> list[str]:
        """Everything that went wrong, in words."""
        found = self.audit
        kinds = {"lost": found.lost, "duplicate": found.doubled, "leak": self.leaks}
        named = [f"{kind}: {line}" for kind, lines in kinds.items() for line in lines]
        return named + found.wrong + self.wrong

    @property
    def line(self) -> str:
        """The round in one line."""
        verdict = "clean" if self.is_clean else f"{len(self.complaints)} COMPLAINTS"
        return (
            f"{self.flavour:<6}{self.setting:<20}{self.calls.total():>6} calls"
            f"{self.faults.total():>6} faults{self.retries:>6} retries"
            f"{self.audit.stored:>6} messages"
            f"{self.seconds:>6.0f} s{self.memory:>6.0f} MiB  {verdict}"
        )

    def played(self, world: World) -> None:
        """Take over what happened."""
        self.calls = world.done
        self.given_up = world.given_up.total()
        self.retries = world.retries
        self.reconnects = world.reconnects
        self.restarts = sum(log.restarts for log in world.followed)
        self.faults = Counter[str](world.proxy.plan.injected)
        self.faults["cut"] += world.walked.total()
        self.memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self.cuts = world.walked
        self.wrong += world.wrong

    def failed(self, error: BaseException) -> None:
        """The round itself could not be played to its end."""
        self.wrong.append("".join(traceback.format_exception(error)))


def report(results: Sequence[Result], seed: str) -> str:
    """All rounds together."""
    lines = [""]
    for flavour in ("sync", "async"):
        own = [result for result in results if result.flavour == flavour]
        if own:
            lines += [*_summary(flavour, own), ""]
    for result in results:
        if not result.is_clean:
            lines.append(f"{result.flavour}, {result.setting}, round seed {result.seed}:")
            lines += [textwrap.indent(text, "  ") for text in result.complaints[:SHOWN]]
            lines.append(f"  ({len(result.complaints)} in all)")
    clean = all(result.is_clean for result in results)
    lines.append(f"{'CLEAN' if clean else 'NOT CLEAN'}; to repeat: make chaos SEED={seed}")
    return "\n".join(lines)


def _summary(flavour: str, results: Sequence[Result]) -> list[str]:
    calls = sum((result.calls for result in results), Counter[str]())
    faults = sum((result.faults for result in results), Counter[str]())
    cuts = sum((result.cuts for result in results), Counter[str]())
    audits = [result.audit for result in results]
    minutes = sum(result.seconds for result in results) / 60
    rows = {
        "rounds": f"{len(results)} in {minutes:.1f} min, {results[-1].memory:.0f} MiB at most",
        "calls": f"{calls.total():,}  ({_listed(calls)})",
        "faults injected": f"{faults.total():,}  ({_listed(faults)})",
        "cut byte by byte": _listed(cuts),
        "retries": f"{sum(result.retries for result in results):,}",
        "given up": f"{sum(result.given_up for result in results):,} calls, with a NetworkError",
        "reconnects": f"{sum(result.reconnects for result in results):,}",
        "follower restarts": f"{sum(result.restarts for result in results):,}",
        "sends acknowledged": f"{sum(audit.acknowledged for audit in audits):,}",
        "messages stored": f"{sum(audit.stored for audit in audits):,}",
        "handed to followers": f"{sum(audit.handed_out for audit in audits):,}",
        "losses": str(sum(len(audit.lost) for audit in audits)),
        "duplicates": str(sum(len(audit.doubled) for audit in audits)),
        "leaks": str(sum(len(result.leaks) for result in results)),
        "other complaints": str(sum(len(r.wrong) + len(r.audit.wrong) for r in results)),
    }
    width = max(map(len, rows))
    return [flavour, *(f"  {name:<{width}}  {text}" for name, text in rows.items())]


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.most_common())
