"""`python -m codegen diff`: what changes of the spec mean for programs that use the client.

`--base REV` compares with a git revision: its spec, read by the generator of today, and its code.
Two folders with a spec are compared as if each had the code of today.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Final

import attrs

from codegen.apidiff.codemod import codemod
from codegen.apidiff.compare import compare
from codegen.apidiff.cross_check import disagreements
from codegen.apidiff.report import Report, reached, release_of
from codegen.build_api import build
from codegen.ir import Api
from codegen.package_symbols import PACKAGE, Package, Symbol
from codegen.public_names import public_symbols
from codegen.render import render_package
from codegen.yaml_source import SpecError

__all__ = [
    "diff",
]

ROOT: Final = Path(__file__).parents[2]
VERSION: Final = f"{PACKAGE}/_support/version.py"
UNREADABLE: Final = 2


class RevisionError(Exception):
    """The revision, or a file in it, is not there."""


@attrs.frozen
class State:
    """An API with its package, at one time."""

    api: Api
    folder: Path
    """What holds the package."""
    texts: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """Files of the package that are not written."""

    @cached_property
    def symbols(self) -> list[Symbol]:
        """All public names."""
        return public_symbols(self.api, Package(self.folder, self.texts))


def diff(arguments: list[str]) -> int:
    """Run the command.

    Returns:
        0; 1 when the version is too low and `--fail-below` was given, or when griffe disagrees; 2
        when there is nothing to compare.
    """
    options = _parser().parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as folder:
            report, wrong = _report(options, Path(folder))
    except (SpecError, RevisionError, ValueError) as error:
        print(error, file=sys.stderr)
        return UNREADABLE
    try:
        print(report.json() if options.json else report.text(), flush=True)
    except BrokenPipeError:
        # `| head` has seen enough. What Python flushes at its end has to go somewhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if options.fail_below and report.is_below:
        wrong.append(f"the version is {report.now}: it must be at least {report.needed}")
    print("\n".join(wrong), file=sys.stderr, end="\n" if wrong else "")
    return 1 if wrong else 0


def _report(options: argparse.Namespace, folder: Path) -> tuple[Report, list[str]]:
    """Return the report, and what else is wrong."""
    folders: list[Path] = options.folders
    if options.base and folders:
        raise RevisionError("either --base or two folders")
    if options.base:
        before, now = folder / "old", folder / "new"
        _extract(options.base, before)
        old = State(build(before / "spec", f"{options.base}:spec", is_past=True), before)
        new = State(build(options.spec), now)
        shutil.copytree(ROOT / PACKAGE, now / PACKAGE)
        for name, text in render_package(new.api, ROOT / PACKAGE).items():
            (now / PACKAGE / name).write_text(text, "utf-8")
        # Earlier releases had the module elsewhere in the package.
        versions = sorted((before / PACKAGE).rglob(Path(VERSION).name))
        old_release = release_of(versions[0].read_text("utf-8")) if versions else None
    elif len(folders) == 2:
        apis = build(folders[0], is_past=True), build(folders[1])
        old, new = (State(api, ROOT, render_package(api, ROOT / PACKAGE)) for api in apis)
        old_release = None
    else:
        raise RevisionError("what to compare with: --base REV, or an old and a new folder")
    changes = compare(old.symbols, new.symbols, is_same=old.api == new.api)
    everything = compare(old.symbols, new.symbols, once=False)
    if options.codemod:
        options.codemod.write_text(codemod(old.symbols, everything), "utf-8")
    report = Report(
        changes=changes,
        server=new.api.version,
        old=release_of(options.old_version) if options.old_version else old_release,
        now=release_of(options.version or (ROOT / VERSION).read_text("utf-8")),
        ways=reached(old.symbols) | reached(new.symbols),
    )
    if not options.base:
        return report, []
    packages = old.folder, new.folder
    return report, disagreements(packages, (old.symbols, new.symbols), everything)


def _extract(revision: str, folder: Path) -> None:
    """Unpack spec and package of a revision."""
    command = ["git", "archive", "--format=tar", "--end-of-options", revision, "spec", PACKAGE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise RevisionError(done.stderr.decode().strip())
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="codegen diff", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, metavar="DIR", help="old and new")
    parser.add_argument("--base", metavar="REV", help="a git revision, such as a tag")
    parser.add_argument("--spec", type=Path, default=ROOT / "spec", metavar="DIR")
    parser.add_argument(
        "--codemod", type=Path, metavar="FILE", help="write a script that renames in programs"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument(
        "--fail-below", action="store_true", help="fail when the version is too low for the changes"
    )
    parser.add_argument("--old-version", metavar="X.Y.Z", help="left out: that of the revision")
    parser.add_argument("--version", metavar="X.Y.Z", help=f"left out: that of {VERSION}")
    return parser
