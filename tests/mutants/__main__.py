"""Break the code on purpose, one line at a time: the tests named in each patch must turn red.

A mutant is a `*.patch` below this folder: first a line that names the tests that kill it, as
pytest takes them, then a unified diff as `git diff` prints it.

    # kills: tests/rest/test_call.py tests/auth/test_token_cache.py
    --- a/poolse/_rest/call.py
    +++ b/poolse/_rest/call.py
    ...

Each is applied to a copy of the tree, so the tree itself is never touched. `make mutants` runs all;
`python -m tests.mutants core/retries` those whose name begins so.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tests.mutants.runner import Fate, Mutant, copy_tree, hunt, read_mutants

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Run the mutants, print the table, and return 1 unless every one was killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("name", nargs="*", help="only mutants whose name begins so")
    parser.add_argument("--root", type=Path, default=ROOT, help="the tree to break")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at the same time")
    parser.add_argument("--part", type=int, default=1, help="one in so many; each week others")
    chosen = parser.parse_args()
    root: Path = chosen.root.resolve()

    mutants = read_mutants(root / "tests/mutants", tuple(chosen.name))
    # The same on each run of a week, and all of them in as many weeks as there are parts.
    week = datetime.now(UTC).isocalendar().week
    mutants = mutants[week % chosen.part :: chosen.part]
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        return report(mutants, root, Path(folder), chosen.jobs)


def report(mutants: list[Mutant], root: Path, folder: Path, jobs: int) -> int:
    """Hunt all mutants in `folder` and print what became of each."""
    pristine = folder / "pristine"
    copy_tree(root, pristine)
    alive: list[Fate] = []
    for fate in hunt(mutants, pristine, folder, jobs):
        print(f"  {fate.verdict:<9} {fate.seconds:5.1f} s  {fate.mutant.name}", flush=True)
        if not fate.killed:
            alive.append(fate)
    # What went wrong stands last, where whoever sees the end of the log finds it.
    for output in dict.fromkeys(fate.output for fate in alive):
        print("    " + output.strip().replace("\n", "\n    "))
    print(f"mutants: {len(mutants) - len(alive)} killed, {len(alive)} not")
    for fate in alive:
        print(f"  {fate.verdict} {fate.mutant.name}")
    return int(bool(alive))


if __name__ == "__main__":
    # Read by git too, which may be called from a hook that set them for another repository.
    for variable in [name for name in os.environ if name.startswith("GIT_")]:
        del os.environ[variable]
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error}\n{error.stderr or ''}")
