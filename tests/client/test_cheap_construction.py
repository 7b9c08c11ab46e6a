"""What costs next to nothing: to import, to make a view, to make one client more."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import tracemalloc

from poolse import AsyncPoolse, Poolse
from poolse._network.trust import context_of
from tests.client.observed_clients import CLIENTS
from tests.leak_guard import open_descriptors

LOADED = """
import sys
before = set(sys.modules)
import poolse
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
"""

HEAVY = {
    *("aiohttp", "attr", "attrs", "cattrs", "httpcore", "httpx", "orjson", "websocket"),
    *("websockets", "yarl"),
    *("asyncio", "email", "http", "json", "logging", "random", "socket", "ssl", "urllib", "uuid"),
}


def test_importing_loads_nothing_that_takes_time() -> None:
    # Isolated, because a coverage tool or a plugin would load its own things first.
    run = [sys.executable, "-I", "-S", "-c", f"sys_path = {sys.path!r}\n{PATH}{LOADED}"]
    loaded = subprocess.run(run, capture_output=True, text=True, check=True).stdout.split()
    assert "poolse" in loaded
    assert set(loaded) & HEAVY == set()


PATH = "import sys\nsys.path[:0] = sys_path\n"


@CLIENTS
def test_ten_thousand_views_leave_nothing(client: type[Poolse] | type[AsyncPoolse]) -> None:
    chat = client(token="t")
    chat.with_options(max_retries=1)
    threads, descriptors = threading.active_count(), open_descriptors()
    tracemalloc.start()
    try:
        for _ in range(10_000):
            chat.with_options(timeout=1.0, headers={"X-A": "b"})
        gc.collect()
        left, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert left < 500_000
    assert threading.active_count() == threads
    assert open_descriptors() == descriptors


def test_all_clients_share_one_tls_context() -> None:
    assert context_of(None)() is context_of(None)()
