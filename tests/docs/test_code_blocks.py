"""Every block of code in README.md, docs/ and spec/README.md runs as it stands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from poolse.testing import Sandbox
from tests.architecture.tree import ROOT
from tests.docs.code_blocks import PAGES, Block, blocks_of
from tests.docs.terminal_sessions import Terminal

RUN = {"console", "python"}


@pytest.fixture
def terminal(sandbox: Sandbox, tmp_path: Path) -> Iterator[Terminal]:
    sandbox.user_id("bob")
    with closing(Terminal(sandbox, tmp_path)) as made:
        yield made


def pages_with(language: str) -> list[str]:
    """Pages with blocks to be run here. Those with the name of a file wait for a command."""
    return [p for p in PAGES if any(b.language == language and not b.name for b in ours(p))]


def ours(page: str) -> list[Block]:
    """The blocks of a page that are run here."""
    return [block for block in blocks_of(page) if block.is_ours]


@pytest.mark.parametrize("page", pages_with("python"))
def test_the_python_of_a_page_runs(page: str, terminal: Terminal) -> None:
    terminal.python("-m", "tests.docs.run_blocks", page)


@pytest.mark.parametrize("page", pages_with("console"))
def test_the_commands_of_a_page_do_what_it_says(
    page: str, terminal: Terminal, tmp_path: Path
) -> None:
    for block in ours(page):
        if block.name:
            (tmp_path / block.name).write_text(block.code, "utf-8")
        elif block.language == "console":
            terminal.enter(block)
    terminal.stop()


@pytest.mark.parametrize("page", PAGES)
def test_no_block_is_forgotten(page: str) -> None:
    blocks = list(blocks_of(page))
    lines = (ROOT / page).read_text("utf-8").splitlines()
    assert sum(line.lstrip().startswith("```") for line in lines) == 2 * len(blocks)
    unknown = [
        f"{b.page}:{b.line} {b.language}" for b in blocks if not (b.is_prose or b.language in RUN)
    ]
    assert unknown == []
    assert [b.runner for b in blocks if b.runner and not (ROOT / b.runner).is_file()] == []
    assert [b.line for b in blocks if b.note.startswith("not run") and not b.excuse] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_file_that_is_shown_is_used(page: str) -> None:
    blocks = list(blocks_of(page))
    typed = "".join(block.code for block in blocks if block.language == "console")
    assert [b.name for b in blocks if b.name and b.is_ours and b.name not in typed] == []
