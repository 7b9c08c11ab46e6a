"""Generated code is typed: strictly, in both flavours, by both checkers, with precise results."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from codegen.__main__ import main
from tests.codegen.tiny_spec import open_shop

ROOT = Path(__file__).parents[2]

USE = """
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import assert_never, assert_type

from poolse._rest.async_calls import AsyncCalls
from poolse._rest.calls import Calls
from poolse._generated.async_channels import AsyncShelfChannel
from poolse._generated.async_resources import AsyncResources
from poolse._generated.channels import ShelfChannel
from poolse._generated.events import BookAdded, BookMoved, ShelfEvent
from poolse._generated.models import Book, BookList
from poolse._generated.resources import Resources
from poolse._realtime.channel_types import UnknownEvent


def sync_side(core: Calls, live: ShelfChannel) -> None:
    books = Resources(core).shelves.one("s").books
    assert_type(books.list(after=1), BookList)
    assert_type(books.list()[0].bought_at, datetime | None)
    assert_type(books.list()[:1], list[Book])
    assert_type(books.iter(), Iterator[Book])
    assert_type(books.add("title", genre="crime", tags=("a",)), Book)
    assert_type(books.add(title="title").prices, dict[str, list[float]] | None)
    off = live.on_book(added)
    assert_type(off(), None)
    live.knock(times=2)


def added(event: BookAdded) -> None:
    assert_type(event.number, int)


def any_of_them(event: ShelfEvent) -> str:
    match event:
        case BookAdded() | BookMoved():
            return "known"
        case UnknownEvent():
            return event.event
        case _:
            assert_never(event)


async def async_side(core: AsyncCalls, live: AsyncShelfChannel) -> None:
    books = AsyncResources(core).shelves.one("s").books
    assert_type(await books.list(), BookList)
    assert_type(books.iter(), AsyncIterator[Book])
    assert_type(await books.add("title"), Book)
    assert_type(await live.knock(times=2), None)
"""

MISUSE = """
from __future__ import annotations

from poolse._rest.calls import Calls
from poolse._generated.resources import Resources


def misuse(core: Calls) -> None:
    books = Resources(core).shelves.one("s").books
    books.add("title", "crime")
    books.add("title", genre="poem")
    books.list(after="1")
    books.list()[0].number = 2
    books.add("title").title.upper()
"""
FIRST_MISUSE = 10


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library for the shop: ours, but for what is generated."""
    tree = tmp_path_factory.mktemp("tree")
    shop = open_shop(tree)
    shutil.copytree(
        ROOT / "poolse", tree / "poolse", ignore=shutil.ignore_patterns("_generated", "__pycache__")
    )
    out = tree / "poolse" / "_generated"
    assert main(["--spec", str(shop.spec), "--out", str(out)]) == 0
    (tree / "use.py").write_text(USE, "utf-8")
    (tree / "misuse.py").write_text(MISUSE, "utf-8")
    (tree / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}', "utf-8")
    return tree


CHECKERS = {
    "pyright": ["-m", "pyright", "--pythonpath", sys.executable],
    "mypy": ["-m", "mypy", "--strict", "--follow-imports=silent", "--cache-dir=.mypy_cache"],
}


def check(tree: Path, checker: str, *targets: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *CHECKERS[checker], *targets]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("checker", CHECKERS)
def test_it_is_typed_strictly(tree: Path, checker: str) -> None:
    done = check(tree, checker, "poolse/_generated", "use.py")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("checker", CHECKERS)
def test_every_misuse_is_an_error(tree: Path, checker: str) -> None:
    done = check(tree, checker, "misuse.py")
    missed = [
        line
        for number, line in enumerate(MISUSE.splitlines(), 1)
        if number >= FIRST_MISUSE and f"misuse.py:{number}:" not in done.stdout
    ]
    assert missed == [], done.stdout
