"""Waits between attempts."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolse._support.backoff import full_jitter, parse_retry_after

NOW = 1_800_000_000.0


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_the_wait_is_random_up_to_the_doubled_base_and_never_over_the_cap(
    attempt: int, random: float
) -> None:
    assert 0 <= full_jitter(0.25, 30.0, attempt, random) <= min(30.0, 0.25 * 2.0 ** min(attempt, 9))


def test_the_base_doubles_with_each_attempt() -> None:
    assert [full_jitter(0.25, 30.0, n, 1.0) for n in range(8)] == [
        0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0,
    ]  # fmt: skip


@pytest.mark.parametrize("random", [0.0, 0.25, 0.75])
def test_the_whole_span_is_random(random: float) -> None:
    assert full_jitter(0.25, 30.0, 3, random) == 2.0 * random


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0.0),
        ("3", 3.0),
        (" 2.5 ", 2.5),
        ("-1", 0.0),
        ("5s", 0.0),
        ("1e3", 0.0),
        ("2, 9", 9.0),
        ("61, 2", 61.0),
        ("9,2", 9.0),
        ('"61"', 61.0),
        (" , 3 ,", 3.0),
        ("-1, nonsense, 5", 5.0),
        (f"2, {formatdate(NOW + 90, usegmt=True)}, 3", 90.0),
        (f"{formatdate(NOW - 90, usegmt=True)}, 3", 3.0),
        (f"{formatdate(NOW + 5, usegmt=True)}, {formatdate(NOW + 7, usegmt=True)}", 7.0),
        ("Friday, 15-Jan-27 08:00:09 GMT, 3", 9.0),
        ("Fri Jan 15 08:00:09 2027", 9.0),
        ("", 0.0),
        ("nonsense", 0.0),
        (formatdate(NOW + 90, usegmt=True), 90.0),
        (formatdate(NOW - 90, usegmt=True), 0.0),
        ("Wed, 21 Oct 2099 07:28:00 +99999999999999999999", 0.0),
        ("Wed, 21 Oct 99999999999999999999 07:28:00 GMT", 0.0),
    ],
)
def test_retry_after(header: str | None, seconds: float) -> None:
    assert parse_retry_after(header, NOW) == seconds


@given(st.text())
def test_no_header_breaks_it(header: str) -> None:
    assert parse_retry_after(header, NOW) >= 0.0
