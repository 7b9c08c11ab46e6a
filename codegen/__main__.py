"""`python -m codegen`: make poolse/_generated from spec. `--check`: only tell what differs."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Final

from codegen.build import build
from codegen.check import check
from codegen.mistakes import Mistakes, SpecError
from codegen.render import render
from codegen.spec import EVENTS, REST, Spec, load_spec
from codegen.surface import SURFACE, surface
from codegen.write import Plan, UnknownFilesError, apply, plan, plan_file

ROOT: Final = Path(__file__).parent.parent


def checked(spec_folder: Path, shown: str) -> Spec:
    """The spec.

    Raises:
        SpecError: It has mistakes.
    """
    mistakes = Mistakes()
    spec = load_spec(spec_folder, shown, mistakes)
    check(spec, mistakes)
    mistakes.raise_if_any()
    return spec


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Returns its exit status."""
    given = _parser().parse_args(arguments)
    try:
        spec = checked(given.spec, _shown(given.spec))
        api = build(spec)
        texts = render(api)
        todo = [
            plan(given.out, texts, _digest(given.spec)),
            plan_file(given.spec / SURFACE, surface(api, texts)),
            *_copies(spec, given.out),
        ]
        if given.check or given.command == "check":
            drift = [line for one in todo for line in one.drift]
            print("\n".join(drift), end="\n" if drift else "")
            return 1 if drift else 0
        for line in [line for one in todo for line in apply(one)]:
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


def _copies(spec: Spec, out: Path) -> list[Plan]:
    """The sandbox beside the generated code keeps to the same spec, and has no YAML to read it."""
    sandbox = out.parent / "sandbox"
    if not sandbox.is_dir():
        return []
    text = json.dumps(spec.rest.value, indent=1, ensure_ascii=False) + "\n"
    return [plan_file(sandbox / REST.replace(".yaml", ".json"), text)]


def _digest(folder: Path) -> str:
    return hashlib.sha256(b"".join((folder / n).read_bytes() for n in (REST, EVENTS))).hexdigest()


if __name__ == "__main__":
    raise SystemExit(main())
