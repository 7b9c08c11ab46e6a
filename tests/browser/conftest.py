"""A browser for all tests, and for each test windows that are watched."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from poolse.testing import Sandbox
from tests.browser.visits import Visits, running_browser
from tests.interop.browser import find_chromium
from tests.interop.npm_packages import install


@pytest.fixture(scope="session")
def modules() -> Path:
    """The folder of axe-core and of npm's phoenix."""
    return install(Path(__file__).parent)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The browser of all tests."""
    if find_chromium() is None:
        pytest.skip("Chromium is not installed (on Debian: apt install chromium)")
    with running_browser() as chromium:
        yield chromium


@pytest.fixture
def visits(browser: Browser, sandbox: Sandbox) -> Iterator[Visits]:
    """Opens pages, and closes them before the sandbox. A console that complains fails the test."""
    opened = Visits(browser)
    yield opened
    opened.close()
    assert opened.complaints == []


@pytest.fixture
def page(visits: Visits, sandbox: Sandbox) -> Page:
    """The page of a sandbox."""
    return visits.open(sandbox.url)


@pytest.fixture
def unused_port() -> int:
    """A port that was free a moment ago, for a sandbox that is started twice."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
    return port
