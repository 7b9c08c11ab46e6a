"""Backoff: how long to wait before the next attempt."""

from __future__ import annotations

import re
from datetime import UTC
from typing import Final

__all__ = ["full_jitter", "parse_retry_after"]

_SECONDS: Final = re.compile(r"\d+(\.\d+)?", re.ASCII)
_COMMA: Final = re.compile(r",(?!\s*\d+[\s-]\w{3}[\s-])")
"""Between two values. The one that follows the day of a week belongs to a date."""


def full_jitter(base: float, cap: float, attempt: int, random: float) -> float:
    """Return seconds between zero and `base` doubled `attempt` times, at most `cap`.

    The whole span is random, so that clients that failed together do not retry together.
    """
    # 2**64 base units are beyond any cap; a float power of a large attempt would overflow.
    return random * min(cap, base * 2.0 ** min(attempt, 64))


def parse_retry_after(value: str | None, now: float) -> float:
    """Return the seconds that a Retry-After header asks for; 0.0 when absent, past or invalid.

    Each proxy on the way may add a header of its own. They arrive as one list, and the longest
    wait counts: an earlier request would be refused by one of them.
    """
    if value is None:
        return 0.0
    return max(_seconds(item.strip(' \t"'), now) for item in _COMMA.split(value))


def _seconds(value: str, now: float) -> float:
    if _SECONDS.fullmatch(value):
        return float(value)
    # Only for the rare date form, and not free to import.
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return 0.0
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, date.timestamp() - now)
