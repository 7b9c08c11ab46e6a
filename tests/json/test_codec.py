from __future__ import annotations

import math
from collections import UserList
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolse._client.from_dict import from_dict
from poolse._generated.models import Attachment, Message, MessageType
from poolse._generated.readers import read_message, read_message_list
from poolse._json.codec import (
    decode,
    decode_value,
    encode,
    missing,
    read_json,
    read_nothing,
    to_dict,
)
from poolse._json.parsing import MAX_VALUES, enum_of
from poolse.errors import DecodeError, UsageError
from poolse.types import OpenEnum
from tests.json.sample_objects import ATTACHMENT, MESSAGE, NULLABLE, OPTIONAL, without


def message(**changes: object) -> Message:
    return decode_value(read_message, {**MESSAGE, **changes})


def path_of(value: object) -> str:
    with pytest.raises(DecodeError) as caught:
        decode_value(read_message_list, value)
    return caught.value.path


# What comes in


def test_a_full_row_is_typed() -> None:
    row = message()
    assert row.inserted_at == datetime(2026, 6, 1, 9, 30, 0, 123456, tzinfo=UTC)
    assert row.type is MessageType.TEXT
    assert row.attachments is not None
    assert isinstance(row.attachments[0], Attachment)
    assert row.reactions == {"👍": ["u-1", "u-2"]}
    assert row.extra == {}
    assert missing(row) == ()


def test_bytes_and_parsed_json_are_read_alike() -> None:
    assert decode(read_message, orjson.dumps(MESSAGE)) == message()


def test_an_unknown_enum_value_survives() -> None:
    row = message(type="poll")
    assert row.type == "poll"
    assert not row.type.is_known
    assert to_dict(row)["type"] == "poll"


def test_a_closed_enum_names_its_values() -> None:
    class Color(StrEnum):
        RED = "red"
        DARK_BLUE = "dark-blue"

    read = enum_of(Color, is_open=False)
    assert read("dark-blue") is Color.DARK_BLUE
    with pytest.raises(DecodeError, match="expected one of red, dark-blue, got a string"):
        decode_value(read, "green")
    with pytest.raises(DecodeError, match="expected one of red, dark-blue, got a number"):
        decode_value(read, 1)


def test_what_is_kept_of_unknown_enum_values_is_bounded() -> None:
    class Color(OpenEnum):
        RED = "red"

    read = enum_of(Color, is_open=True)
    assert read("blue") is read("blue")
    assert read("x" * 1000) is not read("x" * 1000)
    for number in range(MAX_VALUES):
        read(str(number))
    assert read("green") == "green"
    assert read("green") is not read("green")


@pytest.mark.parametrize("key", [key for key in MESSAGE if key not in ("id", *OPTIONAL)])
def test_a_required_field_that_is_left_out_reads_none_and_is_named(key: str) -> None:
    row = decode_value(read_message, without(MESSAGE, key))
    assert getattr(row, key) is None
    assert missing(row) == (key,)
    assert to_dict(row) == without(MESSAGE, key)


@pytest.mark.parametrize("key", OPTIONAL)
def test_an_optional_field_that_is_left_out_stays_out(key: str) -> None:
    row = decode_value(read_message, without(MESSAGE, key))
    assert getattr(row, key) is None
    assert missing(row) == ()
    assert to_dict(row) == without(MESSAGE, key)


@pytest.mark.parametrize("key", [key for key in MESSAGE if key != "id"])
def test_null_reads_none_and_goes_out_as_null(key: str) -> None:
    row = message(**{key: None})
    assert getattr(row, key) is None
    assert missing(row) == (() if key in (*NULLABLE, *OPTIONAL) else (key,))
    assert to_dict(row) == {**MESSAGE, key: None}


def test_unknown_fields_are_kept_and_cannot_be_changed() -> None:
    row = message(pinned=True, poll={"options": []})
    assert row.extra == {"pinned": True, "poll": {"options": []}}
    assert to_dict(row) == {**MESSAGE, "pinned": True, "poll": {"options": []}}
    with pytest.raises(TypeError):
        row.extra["pinned"] = False  # type: ignore[index]
    assert message() == row


MISMATCHES: list[tuple[Any, str]] = [
    ({"data": [MESSAGE, without(MESSAGE, "id")]}, "$.data[1].id"),
    ({"data": [{**MESSAGE, "id": None}]}, "$.data[0].id"),
    ({"data": [MESSAGE, MESSAGE, MESSAGE, {**MESSAGE, "sequence": "4"}]}, "$.data[3].sequence"),
    ({"data": [{**MESSAGE, "sequence": True}]}, "$.data[0].sequence"),
    ({"data": [{**MESSAGE, "sequence": 1.5}]}, "$.data[0].sequence"),
    ({"data": [{**MESSAGE, "body": 1}]}, "$.data[0].body"),
    ({"data": [{**MESSAGE, "type": 1}]}, "$.data[0].type"),
    ({"data": [{**MESSAGE, "mentions": {}}]}, "$.data[0].mentions"),
    ({"data": [{**MESSAGE, "mentions": ""}]}, "$.data[0].mentions"),
    ({"data": [{**MESSAGE, "mentions": ["u", 2]}]}, "$.data[0].mentions[1]"),
    ({"data": [{**MESSAGE, "reactions": []}]}, "$.data[0].reactions"),
    ({"data": [{**MESSAGE, "reactions": {"👍": [1]}}]}, "$.data[0].reactions['👍'][0]"),
    ({"data": [{**MESSAGE, "quoted_message": []}]}, "$.data[0].quoted_message"),
    ({"data": [{**MESSAGE, "quoted_message": {}}]}, "$.data[0].quoted_message.id"),
    ({"data": [{**MESSAGE, "attachments": [ATTACHMENT, 1]}]}, "$.data[0].attachments[1]"),
    (
        {"data": [{**MESSAGE, "attachments": [{**ATTACHMENT, "byte_size": ""}]}]},
        "$.data[0].attachments[0].byte_size",
    ),
    ({"data": [{**MESSAGE, "inserted_at": 5}]}, "$.data[0].inserted_at"),
    ({"data": [{**MESSAGE, "inserted_at": "yesterday"}]}, "$.data[0].inserted_at"),
    ({"data": [None]}, "$.data[0]"),
    ({"data": None}, "$.data"),
    ({}, "$.data"),
    ([], "$"),
    ("text", "$"),
    (None, "$"),
]


@pytest.mark.parametrize(("rows", "path"), MISMATCHES)
def test_a_mismatch_is_reported_with_its_path(rows: object, path: str) -> None:
    assert path_of(rows) == path


def test_a_mismatch_says_kinds_and_not_values() -> None:
    with pytest.raises(DecodeError, match=r"^\$\.body: expected a string, got a list$"):
        message(body=["secret"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"expected JSON, got nothing"),
        (b" \r\n", r"expected JSON, got nothing"),
        (b"<html>busy</html>", r"expected JSON, got b'<html>busy</html>'$"),
        (b"x" * 200, r"got b'x{80}'\.\.\.$"),
        (b'{"id": NaN}', r"expected JSON, got 11 bytes that only start like JSON$"),
        (b' [{"token": "s3cret', r"expected JSON, got 19 bytes that only start like JSON$"),
        (b"\xff", r"expected JSON"),
    ],
)
def test_what_is_not_json_is_quoted(content: bytes, said: str) -> None:
    with pytest.raises(DecodeError, match=said) as caught:
        decode(read_message, content)
    assert caught.value.path == "$"


def test_no_content_may_be_anything() -> None:
    for content in (b"", b"OK", b"{}"):
        decode(read_nothing, content)


def test_untyped_content_may_be_blank() -> None:
    assert decode(read_json, b"") is None
    assert decode(read_json, b'{"a": [1, null]}') == {"a": [1, None]}
    with pytest.raises(DecodeError):
        decode(read_json, b"OK")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(
    left_out=st.sets(st.sampled_from([key for key in MESSAGE if key != "id"])),
    nulls=st.sets(st.sampled_from([key for key in MESSAGE if key != "id"])),
    extra=st.dictionaries(st.text().filter(lambda key: key not in MESSAGE), JSON_VALUES),
    data=st.data(),
)
def test_whatever_was_read_goes_out_again(
    left_out: set[str], nulls: set[str], extra: dict[str, Any], data: st.DataObject
) -> None:
    row = {**MESSAGE, **dict.fromkeys(nulls), **extra}
    keys = data.draw(st.permutations([key for key in row if key not in left_out]))
    given_row = {key: row[key] for key in keys}
    read = decode_value(read_message, given_row)
    assert to_dict(read) == given_row
    assert read.extra == extra
    assert decode_value(read_message, to_dict(read)) == read


@given(JSON_VALUES)
def test_reading_any_json_is_a_row_or_a_decode_error(value: object) -> None:
    for key in MESSAGE:
        try:
            row = decode_value(read_message, {**MESSAGE, key: value})
        except DecodeError:
            continue
        assert to_dict(row)[key] == value or key.endswith("_at")


# What goes out


def test_rows_enums_and_sequences_are_encoded() -> None:
    value = {"row": message(), "type": MessageType.TEXT, "ids": ("a", "b"), "more": UserList([1])}
    expected = {"row": MESSAGE, "type": "text", "ids": ["a", "b"], "more": [1]}
    assert orjson.loads(encode(value)) == expected


def test_times_go_out_in_utc_with_their_microseconds() -> None:
    time = datetime(2026, 6, 1, 11, 30, 0, 120, tzinfo=timezone(timedelta(hours=2)))
    assert encode(time) == b'"2026-06-01T09:30:00.000120Z"'


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_lacks_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON has no"):
        encode({"a": [{"b": value}]})


def test_naive_times_are_refused() -> None:
    with pytest.raises(ValueError, match="needs an offset"):
        encode({"at": datetime(2026, 6, 1)})  # noqa: DTZ001


def cycle() -> list[object]:
    items: list[object] = []
    items.append(items)
    return items


@dataclass
class Foreign:
    number: float = math.nan


@pytest.mark.parametrize(
    "value", [{1, 2}, b"bytes", object(), {1: "a"}, [10**5000], "\ud800", Foreign(), cycle()]
)
def test_what_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(UsageError, match="cannot be sent as JSON"):
        encode({"value": value})


# Rows inside other types


def test_any_type_made_of_rows_can_be_structured() -> None:
    assert from_dict([MESSAGE], list[Message]) == [message()]
    assert from_dict({"a": MESSAGE}, dict[str, Message]) == {"a": message()}
    assert from_dict("poll", MessageType) == "poll"


def test_structuring_uses_the_same_readers() -> None:
    with pytest.raises(DecodeError, match=r"expected an integer, got a string"):
        from_dict([{**MESSAGE, "sequence": ""}], list[Message])


def test_the_root_of_an_answer_needs_no_path_in_the_message() -> None:
    with pytest.raises(DecodeError, match=r"^expected an object, got a list$") as caught:
        decode(read_message, b"[]")
    assert caught.value.path == "$"
