"""Which numbers the arguments of faults may have, from Python and over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

__all__ = ["LIMITS", "Limit", "check_limits"]


class Limit(NamedTuple):
    """The least and the greatest number; None for no limit."""

    minimum: int | None = None
    maximum: int | None = None


_NOT_NEGATIVE: Final = Limit(0)
_SHARE: Final = Limit(0, 1)

LIMITS: Final[Mapping[str, Limit]] = {
    "after": _NOT_NEGATIVE,
    "code": Limit(1000, 4999),
    "delayed": _SHARE,
    "doubled": _SHARE,
    "interval": _NOT_NEGATIVE,
    "lost": _SHARE,
    "requests": _NOT_NEGATIVE,
    "retry_after": _NOT_NEGATIVE,
    "rows": Limit(1),
    "seconds": _NOT_NEGATIVE,
    "status": Limit(200, 599),
    "times": _NOT_NEGATIVE,
}
"""By the name of the argument, which means the same in all faults. Texts have no limits."""


def check_limits(arguments: Mapping[str, object]) -> None:
    """Check the numbers among arguments.

    Raises:
        ValueError: One is outside of its limits.
    """
    for name, value in arguments.items():
        limit = LIMITS.get(name)
        if limit is None or isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if limit.minimum is not None and value < limit.minimum:
            raise ValueError(f"{name} must be at least {limit.minimum}, not {value:g}")
        if limit.maximum is not None and value > limit.maximum:
            raise ValueError(f"{name} must be at most {limit.maximum}, not {value:g}")
