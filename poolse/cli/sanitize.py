"""Untrusted text, made harmless for a terminal.

A message, a name, a file name or an error of a server may hold escape sequences, which move the
cursor, change the title or colours, or answer as if the user had typed; and marks that turn the
order of the letters around, so that a line shows something else than it says.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Final, TextIO

__all__ = ["ascii_only", "decoration", "json_text", "one_line", "sanitized"]

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


_ASCII: Final = str.maketrans(
    {"…": "...", "·": "-", "●": "*", "“": '"', "”": '"', "↳": ">", "\u23ce": "/"}
)


def ascii_only() -> bool:
    """Return whether the terminal is set up for ASCII: Python's UTF-8 mode does not ask for it."""
    language, ctype, everything = map(os.environ.get, ("LANG", "LC_CTYPE", "LC_ALL"))
    # In the locale C, Python itself sets LC_CTYPE to one of these.
    if ctype in ("C.UTF-8", "C.utf8", "UTF-8"):
        ctype = None
    # While rich draws, standard output is a proxy that has no encoding.
    stdout: TextIO = getattr(sys.stdout, "rich_proxied_file", sys.stdout)
    encoding = (stdout.encoding or "utf8").lower().replace("-", "")
    return (everything or ctype or language) in ("C", "POSIX") or encoding != "utf8"


def decoration(text: str) -> str:
    """Return a text of our own, in ASCII if need be. Texts of users stay as they are."""
    return text.translate(_ASCII) if ascii_only() else text


def sanitized(text: str) -> str:
    """Return the text without control sequences; it may have several lines."""
    return text.replace("\r\n", "\n").translate(_TABLE)


def one_line(text: str) -> str:
    """Return the text without control sequences, in one line."""
    return decoration(" \u23ce ").join(sanitized(text).split("\n"))


def json_text(value: object, *, ascii_only: bool = False) -> str:
    """Return the value as one line of JSON that is harmless when it is shown."""
    text = json.dumps(value, ensure_ascii=ascii_only)
    # Outside of strings, JSON has none of these.
    return _UNSAFE_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
