"""Texts of others do nothing to a terminal, and are still readable."""

from __future__ import annotations

import json

import pytest

from poolse.cli.sanitize import json_text, one_line, sanitized

EVERYTHING = " ".join(map(chr, [*range(0x3000), *range(0xD800, 0xE000), 0xFFFD, 0x1F680]))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Hello", "Hello"),
        ("a\nb\r\nc", "a\nb\nc"),
        ("a\tb", "a    b"),
        ("\x1b[2J\x1b]0;title\x07", "␛[2J␛]0;title␇"),
        ("\x9b31m\x7f\x00\r", "\ufffd31m␡␀␍"),
        ("pay \u202e001\u202c now \u2066x\u2069", "pay 001 now x"),
        ("one\u2028two\u2029three", "one\ntwo\nthree"),
        ("broken \ud800", "broken \ufffd"),
        ("שלום مرحبا \u200f 👩‍👩‍👧 日本", "שלום مرحبا \u200f 👩‍👩‍👧 日本"),
    ],
)
def test_what_a_terminal_obeys_is_shown_instead(text: str, shown: str) -> None:
    assert sanitized(text) == shown


def test_nothing_that_a_terminal_obeys_is_left() -> None:
    left = set(sanitized(EVERYTHING))
    assert {each for each in left if ord(each) < 0x20} == {"\n"}
    assert left.isdisjoint(map(chr, range(0x7F, 0xA0)))
    assert left.isdisjoint(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))
    sanitized(EVERYTHING).encode()


def test_one_line_is_one_line() -> None:
    assert one_line("a\nb\u2028c\r\nd") == "a ⏎ b ⏎ c ⏎ d"


def test_json_means_the_same_and_is_harmless() -> None:
    text = json_text({"body": EVERYTHING})
    assert json.loads(text) == {"body": EVERYTHING}
    assert {each for each in text if ord(each) < 0x20 or 0x7F <= ord(each) < 0xA0} == set()
    assert "\u202e" not in text
    assert "日" not in json_text("日", ascii_only=True)
    text.encode()
