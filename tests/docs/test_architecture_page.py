"""The page about the architecture is true."""

from __future__ import annotations

import re

from tests.architecture.tree import ROOT
from tests.docs.state_tables import PAGE, filled

TEXT = PAGE.read_text("utf-8")


def test_the_tables_of_states_are_those_of_the_machines() -> None:
    assert filled(TEXT) == TEXT, "run: python -m tests.docs.state_tables"


def test_every_file_and_package_that_is_named_exists() -> None:
    names = re.findall(r"`((?:poolse|tests|spec|codegen)/[\w/.]*)`", TEXT)
    assert len(names) > 10
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_no_package_is_missing() -> None:
    packages = {path.name for path in (ROOT / "poolse").iterdir() if path.is_dir()}
    assert {name for name in packages if f"poolse/{name}/" not in TEXT} <= {"__pycache__"}
