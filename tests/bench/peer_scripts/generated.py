"""What openapi-python-client makes of our spec."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

WANTED = {"page": "list_messages", "small": "show_me"}


serve = import_module("timing").serve


def main(what: str, base: str) -> None:
    home = Path.cwd()
    sys.path.insert(0, str(home))
    path = next((home / "generated" / "api").rglob(f"{WANTED[what]}.py"), None)
    if path is None:
        raise SystemExit(f"openapi-python-client made no {WANTED[what]} of the spec")
    name = ".".join(path.relative_to(home).with_suffix("").parts)
    operation, client = import_module(name), import_module("generated.client").AuthenticatedClient
    with client(base_url=base, token="x") as chat:
        if what == "page":
            id = "0190a000-0000-7000-8000-000000000500"
            serve(lambda: operation.sync(id, client=chat, limit=50))
        else:
            serve(lambda: operation.sync(client=chat))


main(*sys.argv[1:])
