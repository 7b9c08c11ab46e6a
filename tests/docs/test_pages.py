"""Every block of code in README.md, docs/ and spec/README.md runs as it stands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from poolse.testing import Sandbox
from tests.docs.pages import PAGES, PROSE, Block, blocks_of
from tests.docs.terminal import Terminal
from tests.house.tree import ROOT

RUN = {"console", "python"}


@pytest.fixture
def terminal(sandbox: Sandbox, tmp_path: Path) -> Iterator[Terminal]:
    sandbox.user_id("bob")
    with closing(Terminal(sandbox, tmp_path)) as made:
        yield made


def ours(language: str) -> dict[str, list[Block]]:
    """The blocks that are run here, by page."""
    found = {page: [b for b in blocks_of(page) if b.is_ours] for page in PAGES}
    return {page: blocks for page, blocks in found.items() if language in {b.language for b in blocks}}


@pytest.mark.parametrize("page", ours("python"))
def test_the_python_of_a_page_runs(page: str, terminal: Terminal) -> None:
    terminal.python("-m", "tests.docs.run_blocks", page)


@pytest.mark.parametrize("page", ours("console"))
def test_the_commands_of_a_page_do_what_it_says(
    page: str, terminal: Terminal, tmp_path: Path
) -> None:
    for block in ours("console")[page]:
        if block.name:
            (tmp_path / block.name).write_text(block.code, "utf-8")
        elif block.language == "console":
            terminal.enter(block)


@pytest.mark.parametrize("page", PAGES)
def test_no_block_is_forgotten(page: str) -> None:
    blocks = list(blocks_of(page))
    assert (ROOT / page).read_text("utf-8").count("\n```") == 2 * len(blocks)
    unknown = [f"{b.page}:{b.line} {b.language}" for b in blocks if b.language not in RUN | PROSE]
    assert unknown == []
    assert [b.runner for b in blocks if b.runner and not (ROOT / b.runner).is_file()] == []
    assert [b.line for b in blocks if b.note.startswith("not run") and not b.excuse] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_file_that_is_shown_is_used(page: str) -> None:
    blocks = list(blocks_of(page))
    typed = "".join(block.code for block in blocks if block.language == "console")
    assert [b.name for b in blocks if b.name and b.is_ours and b.name not in typed] == []
