"""A script that moves a program to the new names: `codegen diff --codemod`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from codegen.apidiff.compare import Change
from codegen.package_symbols import Symbol
from codegen.public_names import CLASSES

__all__ = [
    "codemod",
    "renames",
]

SCRIPT: Final = Path(__file__).with_name("codemod_script.py")
RENAMED: Final = ("alias dropped", "renamed", "renamed at once")


def renames(changes: Iterable[Change]) -> dict[str, str]:
    """Return the new names by the old ones."""
    return {change.old: change.new for change in changes if change.kind in RENAMED and change.new}


def codemod(old: Iterable[Symbol], changes: Sequence[Change]) -> str:
    """Return the text of the script.

    Args:
        old: The public names as programs know them, which give the types of objects.
        changes: What became of them.
    """
    types: dict[str, dict[str, str]] = {}
    bases: dict[str, list[str]] = {}
    for symbol in old:
        if symbol.kind in CLASSES:
            bases[symbol.path] = re.findall(r"\w+", str(symbol.traits.get("base", "")))
        elif symbol.owner and symbol.kind not in ("parameter", "value"):
            known = types.setdefault(symbol.owner, {})
            name = symbol.path.removeprefix(f"{symbol.owner}.")
            known[name] = str(symbol.traits.get("gives", ""))
            if "payload" in symbol.traits:
                known[name.replace("()", "(handler)")] = str(symbol.traits["payload"])
    gone = {c.name: c.advice for c in changes if c.kind == "removed" and "==" not in c.name}
    data = {"types": types, "bases": bases, "renamed": renames(changes), "gone": gone}
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return SCRIPT.read_text("utf-8").replace('json.loads("{}")', f"json.loads(r'''{text}''')")
