"""`make rooms` counts what is written by hand, templates included."""

from __future__ import annotations

from tests.architecture.sizes import BUDGETS, files_of, measure
from tests.architecture.tree import ROOT, hand_written


def test_templates_are_counted_in_full() -> None:
    templates = sorted((ROOT / "codegen/templates").iterdir())
    assert templates
    assert set(templates) <= set(files_of("codegen"))
    for template in templates:
        lines, code = measure(template)
        assert lines == code == len(template.read_text("utf-8").splitlines())


def test_no_file_is_counted_twice_or_forgotten() -> None:
    counted = [path for room in BUDGETS for path in files_of(room) if path.suffix == ".py"]
    assert len(counted) == len(set(counted))
    assert set(counted) == {*hand_written("poolse"), *hand_written("codegen")}
