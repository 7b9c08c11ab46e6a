"""Untrusted text, made harmless for a terminal.

A message, a name, a file name or an error of a server may hold escape sequences, which move the
cursor, change the title or colours, or answer as if the user had typed; and marks that turn the
order of the letters around, so that a line shows something else than it says.
"""

from __future__ import annotations

import json
import re
from typing import Final

__all__ = ["json_text", "one_line", "sanitized"]

_TABLE: Final[dict[int, str | None]] = {
    **{code: chr(0x2400 + code) for code in range(0x20)},  # pictures of the control characters
    0x09: "    ",
    0x0A: "\n",
    0x7F: "\u2421",
    **dict.fromkeys(range(0x80, 0xA0), "\ufffd"),
    0x2028: "\n",
    0x2029: "\n",
    **dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)], None),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
}

_UNSAFE_IN_JSON: Final = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def sanitized(text: str) -> str:
    """Return the text without control sequences; it may have several lines."""
    return text.replace("\r\n", "\n").translate(_TABLE)


def one_line(text: str) -> str:
    """Return the text without control sequences, in one line."""
    return " \u23ce ".join(sanitized(text).split("\n"))


def json_text(value: object, *, ascii_only: bool = False) -> str:
    """Return the value as one line of JSON that is harmless when it is shown."""
    text = json.dumps(value, ensure_ascii=ascii_only)
    # Outside of strings, JSON has none of these.
    return _UNSAFE_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
