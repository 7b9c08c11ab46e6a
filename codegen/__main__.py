"""`python -m codegen`: make poolse/_generated from spec. `--check`: only tell what differs."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from typing import Final

from codegen.build import build
from codegen.check import check
from codegen.mistakes import Mistakes, SpecError
from codegen.render import render
from codegen.spec import EVENTS, REST, load_spec
from codegen.write import UnknownFilesError, apply, plan

ROOT: Final = Path(__file__).parent.parent


def generate(spec_folder: Path, shown: str) -> dict[str, str]:
    """The text of every file.

    Raises:
        SpecError: The spec has mistakes.
    """
    mistakes = Mistakes()
    spec = load_spec(spec_folder, shown, mistakes)
    check(spec, mistakes)
    mistakes.raise_if_any()
    return render(build(spec))


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Returns its exit status."""
    given = _parser().parse_args(arguments)
    try:
        texts = generate(given.spec, _shown(given.spec))
        todo = plan(given.out, texts, _digest(given.spec))
        if given.check or given.command == "check":
            print("\n".join(todo.drift), end="\n" if todo.drift else "")
            return 1 if todo.drift else 0
        for line in apply(todo):
            print(line)
    except (SpecError, UnknownFilesError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="codegen", description=__doc__)
    parser.add_argument("command", nargs="?", choices=["generate", "check"], default="generate")
    parser.add_argument("--check", action="store_true", help="write nothing, tell what differs")
    parser.add_argument("--spec", type=Path, default=ROOT / "spec", metavar="DIR")
    parser.add_argument("--out", type=Path, default=ROOT / "poolse" / "_generated", metavar="DIR")
    return parser


def _shown(folder: Path) -> str:
    """How mistakes name the folder: as seen from here, if it lies below."""
    here, folder = Path.cwd(), folder.resolve()
    return str(folder.relative_to(here) if folder.is_relative_to(here) else folder)


def _digest(folder: Path) -> str:
    return hashlib.sha256(b"".join((folder / n).read_bytes() for n in (REST, EVENTS))).hexdigest()


if __name__ == "__main__":
    raise SystemExit(main())
