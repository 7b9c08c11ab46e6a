"""Sync modules are printed from async ones: what changes, what stays, and what is refused."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from codegen import print_sync as printer
from codegen.print_sync import HEADER, PRINTED, PrintError, print_all, print_sync
from tests.architecture.tree import ROOT


def printed(source: str) -> str:
    return print_sync(source, {"sync_driver"}, Counter())


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("async def f() -> None: ...\n", "def f() -> None: ...\n"),
        ("x = await self.get()\n", "x = self.get()\n"),
        ("async with lock:\n    pass\n", "with lock:\n    pass\n"),
        ("y = [x async for x in z]\n", "y = [x for x in z]\n"),
        ("class AsyncFeed(_AsyncBase): ...\n", "class Feed(_Base): ...\n"),
        ("from a.async_feed import AsyncFeed\n", "from a.feed import Feed\n"),
        ("from a.async_driver import AsyncDriver\n", "from a.sync_driver import Driver\n"),
        ("def f() -> Awaitable[dict[str, int]]: ...\n", "def f() -> dict[str, int]: ...\n"),
        ("F = Callable[[int], Coroutine[Any, Any, str]]\n", "F = Callable[[int], str]\n"),
        ("x: Feed | AsyncFeed | None\n", "x: Feed | None\n"),
        ("x = 1  # sync: x = 2\n", "x = 2\n"),
        ("x = 1\ny = 2  # sync:\n", "x = 1\n"),
        ("x = 1\n# async only\ndef f():\n    return 1\ny = 2\n", "x = 1\ny = 2\n"),
        ("# `AsyncFeed` has it.\nasynchronous = 1\n", "# `Feed` has it.\nasynchronous = 1\n"),
        ('"""See `AsyncFeed`."""\n', '"""See `Feed`."""\n'),
    ],
)
def test_what_is_printed(source: str, expected: str) -> None:
    assert printed(source) == expected


def test_decorators_go_with_what_is_left_out() -> None:
    source = "class A:\n    # async only\n    @property\n    async def f(self): ...\n\n    x = 1\n"
    assert printed(source) == "class A:\n\n    x = 1\n"


def test_every_printed_module_is_as_its_source_says() -> None:
    for name, text in print_all(ROOT / "poolse").items():
        assert (ROOT / "poolse" / name).read_text("utf-8") == text
        assert text.startswith(HEADER.format(source=_source_of(name)))


def test_a_rule_that_nothing_uses_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printer, "SYNC_NAMES", {**printer.SYNC_NAMES, "never_used": "nothing"})
    with pytest.raises(PrintError, match="no source uses the rule 'never_used'"):
        print_all(ROOT / "poolse")


def test_a_source_that_is_missing_is_an_error(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "poolse", tmp_path / "poolse")
    source = next(iter(PRINTED))
    (tmp_path / "poolse" / source).unlink()
    with pytest.raises(PrintError, match=f"poolse/{source} is missing"):
        print_all(tmp_path / "poolse")


def _source_of(name: str) -> str:
    return next(source for source, printed in PRINTED.items() if printed == name)
