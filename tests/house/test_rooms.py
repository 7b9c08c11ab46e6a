"""`make rooms` counts every file that people write."""

from __future__ import annotations

from tests.house.rooms import files_of
from tests.house.tree import ROOT


def test_templates_count_for_the_generator() -> None:
    templates = set((ROOT / "codegen/templates").iterdir())
    assert templates
    assert templates <= set(files_of("codegen"))
