"""Values that a caller may hide deep in a body: sent as they are meant, or refused by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from enum import Enum

import pytest

from poolse import UNSET, UsageError
from poolse._json.codec import encode, query_text

WEST = timezone(timedelta(hours=-5))
EAST = timezone(timedelta(hours=5))

ITSELF: list[object] = []
ITSELF.append(ITSELF)


class Odd(Enum):
    """Members whose values are not plain."""

    NAN = float("nan")
    NAIVE = datetime(2026, 6, 1)  # noqa: DTZ001  (naive on purpose)
    AWARE = datetime(2026, 6, 1, tzinfo=UTC)


def test_unset_leaves_out_a_key_at_any_depth() -> None:
    assert encode({"a": UNSET, "b": {"c": UNSET, "d": 1}}) == b'{"b":{"d":1}}'


@pytest.mark.parametrize("value", [UNSET, [UNSET], {"a": [1, UNSET]}])
def test_unset_stands_for_no_value(value: object) -> None:
    with pytest.raises(UsageError, match=r"name: .*UNSET leaves out a key"):
        encode(value, "name")


@pytest.mark.parametrize(
    ("member", "complaint"),
    [(Odd.NAN, "JSON has no nan"), (Odd.NAIVE, "a time needs an offset")],
)
def test_the_value_of_an_enum_is_judged_like_any_other(member: Odd, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        encode({"a": member})
    with pytest.raises(UsageError, match=f"when: {complaint}"):
        query_text("when", member)


def test_the_value_of_an_enum_is_sent_like_any_other() -> None:
    assert encode([Odd.AWARE]) == b'["2026-06-01T00:00:00Z"]'
    assert query_text("when", Odd.AWARE) == "2026-06-01T00:00:00Z"


@pytest.mark.parametrize(
    "value", [datetime.max.replace(tzinfo=WEST), datetime.min.replace(tzinfo=EAST)]
)
def test_a_time_that_utc_does_not_have_is_refused(value: datetime) -> None:
    with pytest.raises(UsageError, match="years 1 to 9999"):
        encode({"at": value})
    with pytest.raises(UsageError, match=r"when: .*years 1 to 9999"):
        query_text("when", value)


def test_what_contains_itself_is_refused() -> None:
    with pytest.raises(UsageError, match="nested too deeply, or contains itself"):
        encode(ITSELF)
    with pytest.raises(UsageError, match="when must be a str"):
        query_text("when", ITSELF)


def test_a_number_that_python_does_not_write_down_is_refused() -> None:
    with pytest.raises(UsageError, match="limit: "):
        query_text("limit", 10**5_000)
