"""One mutant from its patch to its fate."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import attrs

Verdict = Literal["killed", "SURVIVED", "BROKEN", "STALE", "HUNG", "RED"]
"""Killed: the named tests failed. Survived: they passed. Broken: they could not run. Stale: the
patch no longer applies. Hung: no end in sight. Red: the tests fail without the mutant too."""

PATIENCE = 120.0
"""Seconds that the tests of one mutant may take. A test that hangs does not say what is wrong."""

PATIENCE_WITH_ALL = 1200.0
"""Seconds for the tests of all mutants together, without one."""

TESTS_PASSED, TESTS_FAILED = 0, 1
"""Exit codes of pytest. Everything above means that it could not judge."""


@attrs.frozen
class Mutant:
    """A fault to be planted, and the tests that must notice."""

    name: str
    patch: Path
    tests: tuple[str, ...]


@attrs.frozen
class Fate:
    """What became of a mutant."""

    mutant: Mutant
    verdict: Verdict
    seconds: float
    output: str
    """What the last command said."""

    @property
    def killed(self) -> bool:
        """Whether the tests did their work."""
        return self.verdict == "killed"


def read_mutants(folder: Path, begins: tuple[str, ...] = ()) -> list[Mutant]:
    """All patches below a folder, by name; one that names no test is an error."""
    found: list[Mutant] = []
    for patch in sorted(folder.rglob("*.patch")):
        name = patch.relative_to(folder).with_suffix("").as_posix()
        first = patch.read_text("utf-8").partition("\n")[0]
        tests = first.removeprefix("# kills:").split()
        if not first.startswith("# kills:") or not tests:
            raise SystemExit(f"{patch}: the first line must be `# kills: <tests>`")
        if not begins or name.startswith(begins):
            found.append(Mutant(name, patch, tuple(tests)))
    return found


def copy_tree(root: Path, target: Path) -> None:
    """Copy what git tracks or would track: no caches, so no stale bytecode either."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listing.stdout.split("\0")):
        source, copy = root / name, target / name
        if source.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)


def run(command: Sequence[str | Path], cwd: Path, patience: float = PATIENCE) -> tuple[int, str]:
    """Exit code and output of a command that sees the copy and no other tree."""
    environment = {
        **os.environ,
        # Before the editable install, which points at the original. tests/conftest.py makes sure.
        "PYTHONPATH": str(cwd),
        # A temporary folder inside a repository must not be taken for part of it.
        "GIT_CEILING_DIRECTORIES": str(cwd.parent),
    }
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=patience,
        check=False,
    )
    return done.returncode, done.stdout


def run_tests(
    tests: Sequence[str], tree: Path, *more: str, patience: float = PATIENCE
) -> tuple[int, str]:
    """Run tests in a tree, up to the first failure."""
    options = ["-x", "-q", "-p", "no:cacheprovider", "-m", "not soak", *more]
    return run([sys.executable, "-m", "pytest", *options, *tests], tree, patience)


def judge(mutant: Mutant, tree: Path) -> tuple[Verdict, str]:
    """Plant the mutant in a tree of its own, and see whether its tests notice."""
    code, output = run(["git", "apply", "-C1", mutant.patch], tree)
    if code != 0:
        return "STALE", output
    try:
        code, output = run_tests(mutant.tests, tree)
    except subprocess.TimeoutExpired:
        return "HUNG", f"no end after {PATIENCE:g} s"
    if code == TESTS_FAILED:
        return "killed", output
    return ("SURVIVED" if code == TESTS_PASSED else "BROKEN"), output


def hunt(mutants: Sequence[Mutant], pristine: Path, folder: Path, jobs: int) -> Iterator[Fate]:
    """Judge all mutants, some at a time, in their order.

    The tests must pass without a mutant first: otherwise a failure with one says nothing.
    """
    tests = sorted({test for mutant in mutants for test in mutant.tests})
    if not tests:
        return
    code, output = run_tests(tests, pristine, "-n", str(jobs), patience=PATIENCE_WITH_ALL)
    if code != TESTS_PASSED:
        yield from (Fate(mutant, "RED", 0.0, output) for mutant in mutants)
        return

    def fate(mutant: Mutant) -> Fate:
        start = time.monotonic()
        tree = folder / mutant.name.replace("/", "-")
        shutil.copytree(pristine, tree, ignore=shutil.ignore_patterns("__pycache__"))
        try:
            verdict, output = judge(mutant, tree)
        finally:
            shutil.rmtree(tree)
        return Fate(mutant, verdict, time.monotonic() - start, output)

    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(fate, mutants)
