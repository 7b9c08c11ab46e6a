"""Pages in Chromium, and what went wrong in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

from tests.interop.browser import find_chromium

__all__ = ["Visits", "running_browser"]

PATIENCE = 20_000.0
"""Milliseconds until something that does not appear is missing; a busy machine takes some."""

FLAGS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-proxy-server")


@contextmanager
def running_browser() -> Generator[Browser]:
    """Chromium of the system: Playwright's own would have to be downloaded."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*FLAGS])
        yield browser
        browser.close()


class Visits:
    """Opens pages. All that their consoles complain about is in `complaints`."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._expected: list[re.Pattern[str]] = []
        self._complaints: list[str] = []

    def expect(self, complaint: str) -> None:
        """Have a test say what its console may complain about, as a regular expression."""
        self._expected.append(re.compile(complaint))

    def open(
        self,
        url: str,
        *,
        dark: bool = False,
        width: int = 1280,
        height: int = 800,
        before: Callable[[Page], object] = lambda page: None,
    ) -> Page:
        """Open an address in a window of its own, with its own storage."""
        context = self._browser.new_context(
            color_scheme="dark" if dark else "light",
            viewport={"width": width, "height": height},
            reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"],
            accept_downloads=True,
        )
        context.set_default_timeout(PATIENCE)
        self._contexts.append(context)
        host = urlsplit(url).netloc
        page = context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self._complaints.append(f"uncaught: {error}"))
        page.on("request", lambda request: self._asked(request, host))
        before(page)
        page.goto(url)
        return page

    @property
    def complaints(self) -> list[str]:
        """What nobody expected."""
        return [
            one
            for one in self._complaints
            if not any(pattern.search(one) for pattern in self._expected)
        ]

    def close(self) -> None:
        """Close all windows."""
        for context in self._contexts:
            context.close()

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            where = message.location.get("url", "")
            self._complaints.append(f"{message.type}: {message.text} ({where})")

    def _asked(self, request: Request, host: str) -> None:
        other = urlsplit(request.url)
        if other.scheme in {"http", "https", "ws", "wss"} and other.netloc != host:
            self._complaints.append(f"another host was asked: {request.url}")
