"""A short round of chaos in each flavour; `make chaos` is the long one."""

from __future__ import annotations

import pytest

from tests.chaos.report import report
from tests.chaos.round import play
from tests.chaos.world import SETTINGS, Setting, Size

SHORT = Size(senders=2, sends=25, others=14, rate=0.1, silence=1.0, stride=41, pause=0.02)

PLAIN, _, PROXIED = SETTINGS


@pytest.mark.parametrize(
    ("flavour", "setting"),
    [("sync", PLAIN), ("sync", PROXIED), ("async", PLAIN), ("async", PROXIED)],
)
def test_nothing_is_lost_doubled_or_left(flavour: str, setting: Setting) -> None:
    result = play(flavour, setting, SHORT, "1")
    assert result.is_clean, report([result], "1")
