"""The table of errors in docs/debugging.md names errors and codes that exist."""

from __future__ import annotations

import builtins
import re

import pytest

from poolse import errors
from poolse.sandbox.spec import OPENAPI, document
from tests.architecture.tree import ROOT

TEXT = (ROOT / "docs/debugging.md").read_text("utf-8")
TABLE = TEXT.partition("## Common errors")[2].partition("\n## ")[0]
ERRORS = re.findall(r"^\| `(\w+)`", TABLE, re.MULTILINE)
CODES = re.findall(r"^\| `\w+`(?: \d+)?, `(\w+)`", TABLE, re.MULTILINE)
CHANNEL_REASONS = {"unauthorized"}


def test_the_page_has_both() -> None:
    assert len(ERRORS) > 15
    assert len(CODES) > 5


@pytest.mark.parametrize("name", sorted(set(ERRORS)))
def test_an_error_exists(name: str) -> None:
    assert name in errors.__all__ or isinstance(getattr(builtins, name), type)


@pytest.mark.parametrize("code", sorted(set(CODES) - CHANNEL_REASONS))
def test_a_code_exists(code: str) -> None:
    assert code in document(OPENAPI)["components"]["schemas"]["ErrorCode"]["enum"]
