"""JSON that is odd, but JSON: marks in front, numbers that are longer than a machine's."""

from __future__ import annotations

import pytest

from poolse import to_dict
from poolse._generated.readers import read_conversation
from poolse._json.codec import decode, encode, read_json
from poolse._realtime import frames
from poolse.errors import DecodeError

LONG = 12345678901234567890123


def test_a_byte_order_mark_is_no_part_of_it() -> None:
    assert decode(read_json, b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**64, LONG, -LONG, 2**53 + 1])
def test_whole_numbers_are_exact(number: int) -> None:
    assert decode(read_json, f'{{"n": [{number}]}}'.encode()) == {"n": [number]}


def test_a_number_of_a_row_is_exact_too() -> None:
    row = decode(read_conversation, f'{{"id": "c", "last_sequence": {LONG}}}'.encode())
    assert row.last_sequence == LONG


def test_a_number_of_endless_digits_is_refused() -> None:
    digits = "9" * 5_000
    for read in (read_conversation, read_json):
        with pytest.raises(DecodeError, match="more digits than Python reads"):
            decode(read, f'{{"id": "c", "last_sequence": {digits}}}'.encode())


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**64, 2**70, LONG, -LONG, 10**400])
def test_what_is_free_in_a_row_is_exact_in_both_directions(number: int) -> None:
    said = {"id": "c", "custom_data": {"n": number, "in": [{"a": [number]}]}, "new": [number]}
    row = decode(read_conversation, encode(said))
    assert row.custom_data == said["custom_data"]
    assert row.extra == {"new": [number]}
    assert decode(read_json, encode(to_dict(row))) == said


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, LONG])
def test_what_is_free_in_a_frame_is_exact_in_both_directions(number: int) -> None:
    frame = frames.Frame(None, "1", "t", "e", {"n": [number, {"a": number}], "t": (number,)})
    told = frames.encode(frame)
    assert isinstance(told, str)
    for data in (told, told.encode()):
        assert frames.decode(data).payload == {"n": [number, {"a": number}], "t": [number]}


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_long_number_lets_nothing_in_that_is_none(text: str) -> None:
    with pytest.raises(DecodeError, match="expected JSON"):
        decode(read_json, f"[{LONG}, {text}]".encode())
    with pytest.raises(DecodeError, match="expected JSON"):
        decode(read_json, f'[{LONG}, "'.encode() + b'\xff"]')


def test_another_mismatch_is_reported_although_there_is_a_long_number() -> None:
    with pytest.raises(DecodeError, match=r"\$\.name: expected a string"):
        decode(read_conversation, f'{{"id": "c", "name": 1, "unread_count": {LONG}}}'.encode())
