"""Pictures of each tab at three widths, light and dark, in build/screenshots, to look at.

python -m tests.browser.screenshots
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from poolse.testing import Sandbox
from tests.architecture.tree import ROOT
from tests.browser.scenes import talk
from tests.browser.tabs import TABS, show
from tests.browser.visits import Visits, running_browser

FOLDER = ROOT / "build/screenshots"
SIZES = ((360, 740), (900, 800), (1600, 900))


def take(browser: Browser, *, dark: bool, width: int, height: int) -> None:
    """Take those of one width."""
    with Sandbox() as sandbox, tempfile.TemporaryDirectory() as temporary:
        talk(sandbox, Path(temporary))
        visits = Visits(browser)
        page = visits.open(sandbox.url, dark=dark, width=width, height=height)
        for tab in TABS:
            show(page, tab)
            name = f"{tab.lower()}-{width}-{'dark' if dark else 'light'}.png"
            page.screenshot(path=FOLDER / name)
            print((FOLDER / name).relative_to(ROOT))
        visits.close()


def main() -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with running_browser() as browser:
        for dark in (False, True):
            for width, height in SIZES:
                take(browser, dark=dark, width=width, height=height)
    return 0


if __name__ == "__main__":
    sys.exit(main())
