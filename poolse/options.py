"""What a caller can set: time limits, and the options of one call."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import TYPE_CHECKING

import attrs

from poolse._support.argument_checks import (
    check_header,
    checked_count,
    checked_headers,
    checked_instance,
    checked_seconds,
)
from poolse._support.repr import ReprMixin
from poolse._support.secret import hidden_items
from poolse.cancel import CancelToken
from poolse.errors import UsageError
from poolse.types import UNSET, Unset

__all__ = ["CallOptions", "Timeout"]


class _ByDefault(float):
    """A limit that nobody has set."""

    __slots__ = ()


def _as_set(limit: float | None) -> tuple[float | None, bool]:
    """What two limits are compared by: one that nobody has set does not hold everywhere."""
    return limit, isinstance(limit, _ByDefault)


@attrs.frozen(repr=False)
class Timeout(ReprMixin):
    """Time limits of one attempt, in float seconds. None means no limit.

    A bare number where a `Timeout` is wanted means `total`.

    Raises:
        UsageError: A limit that is negative or not finite.
    """

    total: float | None = attrs.field(default=_ByDefault(30.0), eq=_as_set)
    """From the start of the attempt to the last byte of the answer.

    Left out, it does not hold for the bytes of uploads and downloads, which may take long.
    """
    connect: float | None = attrs.field(default=_ByDefault(5.0), kw_only=True, eq=_as_set)
    """To open a connection, TLS included.

    That of realtime too, with its handshake; left out, it has 10 s there.
    """
    read: float | None = attrs.field(default=30.0, kw_only=True)
    """Silence of the server while we wait for bytes."""
    write: float | None = attrs.field(default=30.0, kw_only=True)
    """Silence of the server while it takes our bytes."""
    pool: float | None = attrs.field(default=30.0, kw_only=True)
    """To get a connection when all are busy."""

    def __attrs_post_init__(self) -> None:
        for name in ("total", "connect", "read", "write", "pool"):
            value: object = getattr(self, name)
            if value is not None:
                checked_seconds(f"the {name} timeout", value, " or None")

    @classmethod
    def of(cls, value: float | Timeout | None) -> Timeout:
        """A number is the total; None is no limit at all."""
        if isinstance(value, Timeout):
            return value
        if value is None:
            return cls(None, connect=None, read=None, write=None, pool=None)
        return cls(float(checked_seconds("timeout", value, ", a Timeout or None")))


def for_files(timeout: Timeout) -> Timeout:
    """The limits for the bytes of a file: there is a total only if somebody set one."""
    return attrs.evolve(timeout, total=None) if isinstance(timeout.total, _ByDefault) else timeout


def for_sockets(timeout: Timeout) -> float:
    """The limit to open a WebSocket, in seconds; infinite for none."""
    if isinstance(timeout.connect, _ByDefault):
        return 10.0
    return inf if timeout.connect is None else timeout.connect


@attrs.frozen(kw_only=True, init=False, repr=False)
class CallOptions(ReprMixin):
    """Options of one call. What is left out comes from the view or the client.

    Raises:
        UsageError: An option that makes no sense.
    """

    timeout: float | Timeout | None | Unset = UNSET
    """Time limits of each attempt, in seconds."""
    max_retries: int | Unset = UNSET
    """Attempts after the first."""
    idempotency_key: str | None | Unset = UNSET
    """Sent as Idempotency-Key instead of a fresh one; None sends none."""
    headers: Mapping[str, str] | None = attrs.field(default=None, repr=False)
    """Sent beside the client's own headers."""
    cancel: CancelToken | None = None
    """Ends the call from another thread or task."""

    if TYPE_CHECKING:

        def __attrs_init__(self, **options: object) -> None: ...

    def __init__(
        self,
        *,
        timeout: float | Timeout | None | Unset = UNSET,
        max_retries: int | Unset = UNSET,
        idempotency_key: str | None | Unset = UNSET,
        headers: Mapping[str, str] | None = None,
        cancel: CancelToken | None = None,
    ) -> None:
        # First, so that no traceback shows them among its local variables. And a copy, because what
        # was checked must not change afterwards.
        headers = hidden_items(headers)
        self.__attrs_init__(
            timeout=timeout,
            max_retries=max_retries,
            idempotency_key=idempotency_key,
            headers=headers,
            cancel=cancel,
        )

    def __attrs_post_init__(self) -> None:
        if self.timeout is not UNSET:
            Timeout.of(self.timeout)
        if self.max_retries is not UNSET:
            checked_count("max_retries", self.max_retries)
        if self.idempotency_key is not UNSET and self.idempotency_key is not None:
            check_header("Idempotency-Key", self.idempotency_key)
            if not self.idempotency_key:
                raise UsageError(
                    "idempotency_key is empty: leave it out, or give None to send none"
                )
        if self.headers is not None:
            checked_headers("headers", self.headers)
        if self.cancel is not None:
            checked_instance("cancel", self.cancel, CancelToken, "a CancelToken")
