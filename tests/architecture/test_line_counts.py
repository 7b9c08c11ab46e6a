"""`make sizes` counts lines of code, and leaves out nothing that a person wrote."""

from __future__ import annotations

from pathlib import Path

from tests.architecture.sizes import code_lines, counted_files, package_of
from tests.architecture.tree import ROOT, hand_written, name_of

PYTHON = '''"""A module."""

from __future__ import annotations

import os  # what it needs

# Why.
VALUE = """
not a docstring
"""


class Thing:
    """A class."""

    size: int = 1
    """An attribute."""
'''


def test_docstrings_comments_imports_and_blank_lines_are_not_counted(tmp_path: Path) -> None:
    path = tmp_path / "thing.py"
    path.write_text(PYTHON)
    assert code_lines(path) == 5


def test_lines_of_templates_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "thing.jinja"
    path.write_text("{# A comment. #}\n\n{% for x in y %}\n{{ x }}\n{% endfor %}\n")
    assert code_lines(path) == 3


def test_no_file_is_counted_twice_or_forgotten() -> None:
    counted = counted_files()
    assert len(counted) == len(set(counted))
    assert set(counted) >= {*hand_written("poolse"), *hand_written("codegen")}
    assert set((ROOT / "codegen/templates").iterdir()) <= set(counted)


def test_generated_files_are_not_counted() -> None:
    counted = {name_of(path) for path in counted_files()}
    assert not [name for name in counted if name.startswith("poolse/_generated/")]
    assert "poolse/testing/factories.py" not in counted


def test_packages() -> None:
    assert package_of(ROOT / "poolse/client.py") == "poolse"
    assert package_of(ROOT / "poolse/sandbox/store/users.py") == "poolse/sandbox"
    assert package_of(ROOT / "codegen/apidiff/rules.py") == "codegen"
