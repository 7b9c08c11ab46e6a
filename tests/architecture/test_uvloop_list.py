"""The tests that run on uvloop too exist: a renamed file leaves the list only on purpose."""

from __future__ import annotations

import pytest

from tests.architecture.tree import ROOT, name_of
from tests.event_loops import ON_BOTH

pytestmark = pytest.mark.tools


@pytest.mark.parametrize("prefix", ON_BOTH)
def test_it_is_the_beginning_of_a_test_file(prefix: str) -> None:
    folder = (ROOT / prefix).parent if not prefix.endswith("/") else ROOT / prefix
    assert any(name_of(path).startswith(prefix) for path in folder.glob("test_*.py"))
