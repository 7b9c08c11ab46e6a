"""The bar for people: with rich, without, and where nobody looks."""

from __future__ import annotations

import io
import re
import sys

import pytest

from poolse import progress_bar


class Terminal(io.StringIO):
    """Somebody looks at it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(params=["rich", "plain"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    if request.param == "plain":
        monkeypatch.setitem(sys.modules, "rich.console", None)
    return str(request.param)


def test_it_is_drawn_on_a_terminal(kind: str) -> None:
    terminal = Terminal()
    bar = progress_bar("cat.png", terminal)
    assert terminal.getvalue() == "", "nothing has begun"
    for loaded in (0, 500_000, 1_000_000):
        bar(loaded, 1_000_000)
    drawn = terminal.getvalue()
    assert "cat.png" in drawn
    if kind == "plain":
        assert "[###############...............]  50% of 1.0 MB" in drawn
        assert drawn.endswith(f"\rcat.png [{'#' * 30}] 100% of 1.0 MB\n")
    else:
        assert "0.5/1.0 MB" in drawn
        assert "1.0/1.0 MB" in drawn
        assert " ?" not in re.sub(r"\x1b\[[0-9;]*m", "", drawn), "an unknown speed"
        assert drawn.rindex("\x1b[?25h") > drawn.rindex("\x1b[?25l"), "the cursor is back"


@pytest.mark.usefixtures("kind")
def test_it_can_be_used_again_and_for_nothing() -> None:
    terminal = Terminal()
    bar = progress_bar(file=terminal)
    bar(0, 0)
    assert terminal.getvalue().count("\n") == 1
    bar(10, 10)
    assert terminal.getvalue().count("\n") == 2


def test_a_failure_leaves_a_tidy_terminal(kind: str) -> None:
    terminal = Terminal()

    def fail() -> None:
        with progress_bar("x", terminal) as bar:
            bar(1, 3)
            raise ValueError("lost")

    with pytest.raises(ValueError, match="lost"):
        fail()
    assert terminal.getvalue().count("\n") >= 1
    if kind == "rich":
        assert "\x1b[?25h" in terminal.getvalue()


@pytest.mark.usefixtures("kind")
def test_a_forgotten_bar_gives_the_cursor_back() -> None:
    terminal = Terminal()
    bar = progress_bar("x", terminal)
    bar(1, 3)
    del bar
    assert terminal.getvalue().count("\x1b[?25l") == terminal.getvalue().count("\x1b[?25h")


def test_nothing_is_drawn_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("x") as bar:
        bar(1, 3)
        bar(3, 3)
    assert capsys.readouterr() == ("", "")
