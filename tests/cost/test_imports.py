"""What is loaded when: every module costs the start of every program."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.bench.canned import canned_server
from tests.bench.canned_rows import JWT

OURS = {
    "poolse",
    "poolse._generated",
    "poolse._generated.names",
    "poolse._support",
    "poolse._support.version",
    "poolse.errors",
    "poolse.types",
}

THEIRS = {"anyio", "attr", "attrs", "certifi", "h11", "httpcore", "httpx", "idna", "orjson"}
"""Other people's packages that a sync REST call needs, and what httpx and they bring."""

EXTRAS = {"click", "pygments", "rich", "brotli", "brotlicffi", "h2", "socksio", "zstandard"}
"""What httpx loads where it is installed."""

MOST = 83
"""Modules of ours for a sync REST call."""


def loaded(code: str) -> set[str]:
    """What a bare interpreter has in addition after this."""
    path = f"import sys\nsys.path[:] = {sys.path!r}"
    before = "import json\nbefore = set(sys.modules)"
    after = "print(json.dumps(sorted(set(sys.modules) - before)))"
    program = "\n".join([path, before, code, after])
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


def foreign(modules: set[str]) -> set[str]:
    """The packages among them that are neither Python's nor ours."""
    tops = {name.partition(".")[0] for name in modules}
    return {top for top in tops - sys.stdlib_module_names - EXTRAS if top != "poolse"}


def test_the_import_loads_nothing_of_others() -> None:
    modules = loaded("import poolse")
    assert foreign(modules) == set()
    assert {name for name in modules if name.startswith("poolse")} == OURS


def test_a_sync_call_loads_what_it_needs() -> None:
    with canned_server() as base:
        modules = loaded(
            "from poolse import Poolse\n"
            f"with Poolse(token={JWT!r}, api_url={base!r}) as chat:\n    chat.me.show()"
        )
    assert foreign(modules) <= THEIRS
    ours = {name for name in modules if name.startswith("poolse")}
    assert len(ours) <= MOST
    rooms = (
        "poolse._files",
        "poolse._follow.loop",
        "poolse._follow.source",
        "poolse._realtime",
        "poolse.cli.",
        "poolse._auth.token_provider",
        "poolse.profiles",
        "poolse.sandbox.",
        "poolse.stats",
    )
    assert {name for name in ours if name.startswith(rooms) or "aio" in name} == set()
