"""`python -m codegen diff`: what changes of the spec mean for programs that use the client.

`--base REV` compares with the spec of a git revision, two folders are compared with each other.
Both are read by the generator of today.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from codegen.apidiff.compare import compare
from codegen.apidiff.report import Release, Report, release_of
from codegen.build import build
from codegen.check import checked, readable
from codegen.ir import Api
from codegen.spec import EVENTS, REST
from codegen.yaml_source import SpecError

__all__ = [
    "diff",
]

ROOT: Final = Path(__file__).parents[2]
VERSION: Final = "poolse/_support/version.py"
UNREADABLE: Final = 2


class RevisionError(Exception):
    """The revision, or a file in it, is not there."""


def diff(arguments: list[str]) -> int:
    """Run the command.

    Returns:
        0; 1 when the version is too low and `--fail-below` was given; 2 when there is nothing to
        compare.
    """
    options = _parser().parse_args(arguments)
    try:
        report = _report(options)
    except (SpecError, RevisionError, ValueError) as error:
        print(error, file=sys.stderr)
        return UNREADABLE
    print(report.json() if options.json else report.text())
    if options.fail_below and report.is_below:
        print(f"the version is {report.now}: it must be at least {report.needed}", file=sys.stderr)
        return 1
    return 0


def _report(options: argparse.Namespace) -> Report:
    folders: list[Path] = options.folders
    if options.base and folders:
        raise RevisionError("either --base or two folders")
    if options.base:
        old, old_release = _of_revision(options.base)
        new = build(checked(options.spec))
    elif len(folders) == 2:
        old, new, old_release = build(readable(folders[0])), build(checked(folders[1])), None
    else:
        raise RevisionError("what to compare with: --base REV, or an old and a new folder")
    return Report(
        changes=compare(old, new),
        server=new.version,
        old=release_of(options.old_version) if options.old_version else old_release,
        now=release_of(options.version or (ROOT / VERSION).read_text("utf-8")),
    )


def _of_revision(revision: str) -> tuple[Api, Release]:
    with tempfile.TemporaryDirectory() as folder:
        for name in (REST, EVENTS):
            (Path(folder) / name).write_bytes(_show(revision, f"spec/{name}"))
        api = build(readable(Path(folder), f"{revision}:spec"))
    return api, release_of(_show(revision, VERSION).decode())


def _show(revision: str, path: str) -> bytes:
    # The revision stands before the colon, so it cannot be taken for an option.
    command = ["git", "show", f"{revision}:{path}", "--"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise RevisionError(done.stderr.decode().strip())
    return done.stdout


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="codegen diff", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, metavar="DIR", help="old and new")
    parser.add_argument("--base", metavar="REV", help="a git revision, such as a tag")
    parser.add_argument("--spec", type=Path, default=ROOT / "spec", metavar="DIR")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument(
        "--fail-below", action="store_true", help="fail when the version is too low for the changes"
    )
    parser.add_argument("--old-version", metavar="X.Y.Z", help="left out: that of the revision")
    parser.add_argument("--version", metavar="X.Y.Z", help=f"left out: that of {VERSION}")
    return parser
