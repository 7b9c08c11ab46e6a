"""The Range header of HTTP, for one range of bytes."""

from __future__ import annotations

import re

__all__ = ["read_range"]

_ONE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.IGNORECASE)


def read_range(header: str, size: int) -> range | None:
    """The bytes that are asked for; none of them when the range lies outside of the file.

    Gives None when the header asks for nothing that is understood, several ranges included: it
    is to be ignored then.
    """
    found = _ONE.fullmatch(header.replace(" ", ""))
    if found is None or header.strip().endswith("=-"):
        return None
    first, last = found[1], found[2]
    if not first:
        return range(max(0, size - int(last)), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(size, int(last) + 1) if last else size)
