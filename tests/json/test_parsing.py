"""The pieces that readers are made of."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolse._generated.models import Message
from poolse._generated.readers import read_message
from poolse._json.codec import decode_value, encode
from poolse._json.parsing import (
    MAX_KEYS,
    MAX_SHAPES,
    ModelKeys,
    boolean,
    instant,
    integer,
    list_of,
    nullable,
    number,
    string,
)
from poolse._rest.endpoint import Read
from poolse.errors import DecodeError
from tests.json.sample_objects import A_TIME, MESSAGE


def message(**changes: object) -> Message:
    return decode_value(read_message, {**MESSAGE, **changes})


SCALARS: list[tuple[Read[object], object, list[object]]] = [
    (string, "a", [1, True, [], {}, None]),
    (integer, 1, [1.5, True, "1", None]),
    (number, 1, [True, "1", None]),
    (number, 1.5, [False, []]),
    (boolean, True, [0, 1, "true", None]),
]


@pytest.mark.parametrize(("read", "good", "bad"), SCALARS)
def test_items_of_a_list_are_as_strict_as_fields(
    read: Read[object], good: object, bad: list[object]
) -> None:
    assert decode_value(list_of(read), [good]) == [good]
    assert decode_value(list_of(nullable(read)), [good, None]) == [good, None]
    for value in bad:
        with pytest.raises(DecodeError, match=r"^\$\[1\]: expected"):
            decode_value(list_of(read), [good, value])


@pytest.mark.parametrize(
    ("text", "time"),
    [
        (A_TIME, datetime(2026, 6, 1, 9, 30, 0, 123456, UTC)),
        ("2026-06-01T09:30:00Z", datetime(2026, 6, 1, 9, 30, tzinfo=UTC)),
        ("2026-06-01T09:30:00.5Z", datetime(2026, 6, 1, 9, 30, 0, 500000, UTC)),
        ("2026-06-01T09:30:00", datetime(2026, 6, 1, 9, 30, tzinfo=UTC)),
        ("2026-06-01T11:30:00+02:00", datetime(2026, 6, 1, 9, 30, tzinfo=UTC)),
    ],
)
def test_times_are_aware_and_in_utc(text: str, time: datetime) -> None:
    read = message(edited_at=text).edited_at
    assert read == time
    assert read is not None
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2026-06-01", "20260601", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+02:00"],
)
def test_what_is_no_time_is_a_mismatch(text: str) -> None:
    with pytest.raises(DecodeError):
        message(edited_at=text)


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_come_back_as_they_went(time: datetime) -> None:
    assert instant(orjson.loads(encode(time))) == time


def test_what_is_remembered_of_foreign_rows_is_bounded() -> None:
    shapes = ModelKeys(Message)
    for count in range(MAX_SHAPES + 50):
        assert shapes.seen({**MESSAGE, str(count): 1}) == {str(count): 1}
    assert len(shapes.known) == MAX_SHAPES
    wide = {**MESSAGE, **{str(count): 0 for count in range(MAX_KEYS)}}
    shapes = ModelKeys(Message)
    assert len(shapes.seen(wide)) == MAX_KEYS
    assert len(shapes.known) == 0
