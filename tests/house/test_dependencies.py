"""What users have to install with the library: floors that are tested, and no caps."""

from __future__ import annotations

import re
import tomllib

from tests.house.tree import ROOT

REQUIREMENT = re.compile(r"[\w.-]+(\[[\w,]+\])?>=[\d.]+(; [^<>]+)?")


def test_no_dependency_has_a_cap() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    named = [*project["dependencies"], *extras["sandbox"], *extras["cli"]]
    assert [line for line in named if not REQUIREMENT.fullmatch(line)] == []
