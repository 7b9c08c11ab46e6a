"""Chromium without a window, and the development server that its page comes from."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.handler_server import QuietHandler, served_by
from tests.interop.official import HERE

__all__ = ["DevelopmentServer", "chromium", "development_server", "find_chromium"]

PATIENCE = 120.0
"""Seconds until a page that reports nothing has failed; a cold start of Chromium takes some."""

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
)

FILES = {
    "/": ("text/html", HERE / "page.html"),
    "/phoenix.mjs": ("text/javascript", HERE / "node_modules/phoenix/priv/static/phoenix.mjs"),
}


def find_chromium() -> str | None:
    """The command, by the names that distributions give it."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


class DevelopmentServer:
    """Serves the page, and takes its report."""

    def __init__(self, url: str, reports: queue.Queue[bytes]) -> None:
        self.url = url
        self._reports = reports

    def report(self) -> Any:
        """What the page found, once it says so."""
        try:
            return json.loads(self._reports.get(timeout=PATIENCE))
        except queue.Empty:
            raise AssertionError("the page reported nothing") from None


@contextmanager
def development_server() -> Generator[DevelopmentServer]:
    """A server at another origin than the sandbox."""
    reports: queue.Queue[bytes] = queue.Queue()

    class Handler(QuietHandler):
        def do_GET(self) -> None:  # noqa: N802  (the name of http.server)
            kind, file = FILES.get(self.path.partition("?")[0], ("", Path("/nowhere")))
            self.answer(200 if kind else 404, kind, file.read_bytes() if kind else b"")

        def do_POST(self) -> None:  # noqa: N802  (the name of http.server)
            reports.put(self.rfile.read(int(self.headers["content-length"])))
            self.answer(200, "text/plain", b"")

    with served_by(Handler) as url:
        yield DevelopmentServer(url, reports)


@contextmanager
def chromium(command: str, url: str, profile: Path) -> Generator[None]:
    """The browser with one page, for as long as the block runs."""
    arguments = [command, *FLAGS, f"--user-data-dir={profile}", url]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(arguments, stdout=quiet, stderr=quiet, start_new_session=True) as process:
        try:
            yield
        finally:
            # It has children of its own, all of its session.
            os.killpg(process.pid, signal.SIGKILL)
