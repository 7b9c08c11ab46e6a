"""`python -m codegen`: poolse/_generated and spec/surface.txt from the spec, sync from async.

`--check` only reports what differs.

`python -m codegen diff`: what a change of the spec means to those who use the client.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Final

from codegen.build import build
from codegen.print_sync import PrintError, print_all
from codegen.read_code import Package
from codegen.render import render, render_factories
from codegen.spec import EVENTS, REST, load_spec
from codegen.symbols import SURFACE, public_symbols, surface
from codegen.write import Plan, UnknownFilesError, apply, plan, plan_file
from codegen.yaml_source import Diagnostics, Node, SpecError

ROOT: Final = Path(__file__).parent.parent


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Returns its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["diff"]:
        # What it needs takes as long to load as the half of generating takes.
        from codegen.apidiff.command import diff

        return diff(arguments[1:])
    options = _parser().parse_args(arguments)
    try:
        api = build(options.spec)
        texts, factories = render(api), render_factories(api)
        printed = print_all(options.out.parent)
        whole = {f"_generated/{name}": text for name, text in texts.items()}
        whole |= {**printed, "testing/factories.py": factories}
        symbols = public_symbols(api, Package(_project(options.out), whole))
        todo = [
            plan(options.out, texts, _digest(options.spec), printed),
            plan_file(options.spec / SURFACE, surface(symbols)),
            *_beside(options.spec, options.out.parent, factories),
            *(plan_file(options.out.parent / name, text) for name, text in printed.items()),
        ]
        if options.check or options.command == "check":
            drift = [line for one in todo for line in one.drift]
            print("\n".join(drift), end="\n" if drift else "")
            return 1 if drift else 0
        for line in [line for one in todo for line in apply(one)]:
            print(line)
    except (SpecError, PrintError, UnknownFilesError) as error:
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


def _project(out: Path) -> Path:
    """Return the folder of the package around generated files; of files elsewhere, our own."""
    return out.parent.parent if (out.parent / "__init__.py").exists() else ROOT


def _beside(folder: Path, package: Path, factories: str) -> list[Plan]:
    """Plan the files of the optional parts that come from the spec."""
    spec = load_spec(folder, str(folder), Diagnostics())
    # The sandbox keeps to the same spec, and has no YAML to read it.
    files = {
        package / "sandbox" / name.replace(".yaml", ".json"): _as_json(document)
        for name, document in ((REST, spec.rest), (EVENTS, spec.events))
    }
    files[package / "testing" / "factories.py"] = factories
    return [plan_file(path, text) for path, text in files.items() if path.parent.is_dir()]


def _as_json(document: Node) -> str:
    return json.dumps(document.value, indent=1, ensure_ascii=False) + "\n"


def _digest(folder: Path) -> str:
    return hashlib.sha256(b"".join((folder / n).read_bytes() for n in (REST, EVENTS))).hexdigest()


if __name__ == "__main__":
    raise SystemExit(main())
