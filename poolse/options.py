"""What a caller can set: time limits, and the options of one call."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from poolse.cancel import CancelToken
from poolse.types import UNSET, Unset

__all__ = ["CallOptions", "Timeout"]


@attrs.frozen
class Timeout:
    """Time limits of one attempt, in float seconds. None means no limit.

    A bare number where a `Timeout` is wanted means `total`.
    """

    total: float | None = 30.0
    """From the start of the attempt to the last byte of the answer."""
    connect: float | None = attrs.field(default=5.0, kw_only=True)
    """To open a connection, TLS included."""
    read: float | None = attrs.field(default=30.0, kw_only=True)
    """Silence of the server while we wait for bytes."""
    write: float | None = attrs.field(default=30.0, kw_only=True)
    """Silence of the server while it takes our bytes."""
    pool: float | None = attrs.field(default=30.0, kw_only=True)
    """To get a connection when all are busy."""

    @classmethod
    def of(cls, value: float | Timeout | None) -> Timeout:
        """A number is the total; None is no limit at all."""
        if isinstance(value, Timeout):
            return value
        if value is None:
            return cls(None, connect=None, read=None, write=None, pool=None)
        return cls(float(value))


@attrs.frozen(kw_only=True)
class CallOptions:
    """Options of one call. What is left out comes from the view or the client."""

    timeout: float | Timeout | None | Unset = UNSET
    """Time limits of each attempt, in seconds."""
    max_retries: int | Unset = UNSET
    """Attempts after the first."""
    idempotency_key: str | None | Unset = UNSET
    """Sent as Idempotency-Key instead of a fresh one; None sends none."""
    headers: Mapping[str, str] | None = None
    """Sent beside the client's own headers."""
    cancel: CancelToken | None = None
    """Ends the call from another thread or task."""
