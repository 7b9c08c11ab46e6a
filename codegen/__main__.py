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
from typing import Final, cast

from codegen.build_api import build
from codegen.package_symbols import Package
from codegen.print_sync import PrintError, print_all
from codegen.public_names import SURFACE, public_symbols, surface
from codegen.render import render, render_factories
from codegen.spec import EVENTS, REST, load_spec
from codegen.write import Plan, UnknownFilesError, apply, plan, plan_file
from codegen.yaml_source import Diagnostics, Node, SpecError

ROOT: Final = Path(__file__).parent.parent

PROSE: Final = ("summary", "description")
SERVER_RULES: Final = ("errors", "none_on", "presence", "callback", "push", "repeat")
"""Rules of `x-sdk` that the sandbox, or a test of it, reads."""


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
        package / "sandbox" / name.replace(".yaml", ".json"): _as_json(document, left_out, prose)
        # `make fuzz` sends the examples of REST, and the sandbox's page shows its descriptions.
        for name, document, left_out, prose in (
            (REST, spec.rest, "", True),
            (EVENTS, spec.events, "examples", False),
        )
    }
    files[package / "testing" / "factories.py"] = factories
    return [plan_file(path, text) for path, text in files.items() if path.parent.is_dir()]


def _as_json(document: Node, left_out: str, prose: bool) -> str:
    needed = _for_servers(document.value, left_out, prose)
    return json.dumps(needed, separators=(",", ":"), ensure_ascii=False) + "\n"


def _for_servers(value: object, left_out: str, prose: bool) -> object:
    """Return what the sandbox reads, with the descriptions of operations if there is `prose`.

    Others are blank, because OpenAPI requires some.
    """
    if isinstance(value, list):
        return [_for_servers(part, left_out, prose) for part in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    read: dict[str, object] = {}
    for key, part in cast("dict[str, object]", value).items():
        if key in PROSE and isinstance(part, str):
            read[key] = part if prose else ""
        elif key == "x-sdk" and isinstance(part, dict):
            rules = cast("dict[str, object]", part)
            read[key] = {name: rules[name] for name in SERVER_RULES if name in rules}
        elif key != left_out:
            inside = prose and key not in ("responses", "schemas")
            read[key] = _for_servers(part, left_out, inside)
    return read


def _digest(folder: Path) -> str:
    return hashlib.sha256(b"".join((folder / n).read_bytes() for n in (REST, EVENTS))).hexdigest()


if __name__ == "__main__":
    raise SystemExit(main())
