"""Import modules and report what they import of the banned modules: `python banned_imports.py`.

Reads `{"modules": [...], "banned": [...]}` from stdin, imports the modules one by one and prints
what they tried to import, one `importer imports imported` a line. Other modules may import
anything: attrs may use `os`, a module under test may not.
"""

from __future__ import annotations

import builtins
import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType

genuine = builtins.__import__


def main() -> None:
    """Run in an interpreter of its own, so that nothing has been imported before."""
    order: dict[str, list[str]] = json.load(sys.stdin)
    modules, banned = set(order["modules"]), set(order["banned"])
    lines: list[str] = []

    def guarded(
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        importer = (globals or {}).get("__name__")
        if importer in modules and level == 0 and name.partition(".")[0] in banned:
            lines.append(f"{importer} imports {name}")
        return genuine(name, globals, locals, fromlist, level)

    builtins.__import__ = guarded
    for module in sorted(modules):
        importlib.import_module(module)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
