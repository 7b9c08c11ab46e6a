"""docs/CONTRIBUTING.md names files and make targets that exist."""

from __future__ import annotations

import re

from tests.architecture.tree import ROOT

TEXT = (ROOT / "docs/CONTRIBUTING.md").read_text("utf-8")
FILE = re.compile(r"`((?:\.ci|codegen|docs|poolse|spec|tests)/[\w/.]*)`")


def test_every_file_that_is_named_exists() -> None:
    names = FILE.findall(TEXT)
    assert len(names) > 8
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_every_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = re.findall(r"(?:`|\$ )make (\w+)", TEXT)
    assert len(targets) > 8
    assert [name for name in targets if f"\n{name}:" not in makefile] == []
