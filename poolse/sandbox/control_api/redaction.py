"""What control never shows: tokens, API keys, signatures of URLs, tokens of devices."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

__all__ = ["HIDDEN", "hidden", "hidden_header"]

HIDDEN: Final = "…"

_PATTERNS: Final = (
    # JSON web tokens, wherever they are, even the start of one.
    re.compile(r"\beyJ[\w-]*(\.[\w-]*){0,2}"),
    # Phoenix's JavaScript client sends tokens as a subprotocol, too.
    re.compile(r"(?<=bearer\.phx\.)[\w=-]+"),
    # The device token is a segment of the path.
    re.compile(r"(?<=/devices/)[^/?\s\"]+"),
    # Queries of sockets and of signed URLs, also inside of JSON.
    re.compile(r"(?<=[?&])(?P<keep>(?:token|api_key|signature)=)[^&\s\"'<>]*", re.IGNORECASE),
    # Fields of JSON, also if the text was cut in the middle.
    re.compile(
        r"(?P<keep>\"(?:token|api_key|credential|password|secret|signature)\"\s*:\s*\")"
        r"(?:[^\"\\]|\\.)*",
        re.IGNORECASE | re.DOTALL,
    ),
)

_SECRET_HEADERS: Final = {"authorization", "cookie", "proxy-authorization", "set-cookie"}


def hidden(text: str, keys: Iterable[str] = ()) -> str:
    """Return a text without secrets; `keys` are API keys, which have no form of their own."""
    for key in keys:
        text = text.replace(key, HIDDEN)
    for pattern in _PATTERNS:
        text = pattern.sub(_without, text)
    return text


def hidden_header(name: str, value: str, keys: Iterable[str] = ()) -> str:
    """Return the value of a header without secrets. The scheme of a credential stays."""
    if name.lower() not in _SECRET_HEADERS:
        return hidden(value, keys)
    scheme, space, _ = value.partition(" ")
    known = scheme.lower() in {"basic", "bearer", "digest"}
    return f"{scheme}{space}{HIDDEN}" if known else HIDDEN


def _without(match: re.Match[str]) -> str:
    return f"{match.groupdict().get('keep') or ''}{HIDDEN}"
