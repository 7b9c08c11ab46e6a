"""JSON that is odd, but JSON: marks in front, numbers that are longer than a machine's."""

from __future__ import annotations

import pytest

from poolse._core.codec import decode, read_json
from poolse._generated.readers import read_conversation
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
    with pytest.raises(DecodeError, match="expected JSON"):
        decode(read_conversation, f'{{"id": "c", "last_sequence": {digits}}}'.encode())


def test_another_mismatch_is_told_although_there_is_a_long_number() -> None:
    with pytest.raises(DecodeError, match=r"\$\.name: expected a string"):
        decode(read_conversation, f'{{"id": "c", "name": 1, "unread_count": {LONG}}}'.encode())
