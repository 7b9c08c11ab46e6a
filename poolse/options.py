"""Options that a caller can set: timeouts, and the options of one call."""

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
    """A timeout that has its default value."""

    __slots__ = ()


def _as_set(limit: float | None) -> tuple[float | None, bool]:
    """Return what timeouts are compared by: a default does not apply everywhere."""
    return limit, isinstance(limit, _ByDefault)


@attrs.frozen(repr=False)
class Timeout(ReprMixin):
    """Timeouts of one attempt, in float seconds. None means no timeout.

    A number in place of a `Timeout` means `total`.

    Raises:
        UsageError: A timeout is negative or not finite.
    """

    total: float | None = attrs.field(default=_ByDefault(30.0), eq=_as_set)
    """Total timeout, from the start of the attempt to the last byte of the response.

    The default does not apply to the bytes of uploads and downloads, which may take long.
    """
    connect: float | None = attrs.field(default=_ByDefault(5.0), kw_only=True, eq=_as_set)
    """Connect timeout, including TLS.

    It also applies to the socket, including its handshake; the default there is 10 s.
    """
    read: float | None = attrs.field(default=30.0, kw_only=True)
    """Read timeout: time between two reads."""
    write: float | None = attrs.field(default=30.0, kw_only=True)
    """Write timeout: time between two writes."""
    pool: float | None = attrs.field(default=30.0, kw_only=True)
    """Pool timeout: wait for a free connection."""

    def __attrs_post_init__(self) -> None:
        for name in ("total", "connect", "read", "write", "pool"):
            value: object = getattr(self, name)
            if value is not None:
                checked_seconds(f"the {name} timeout", value, " or None")

    @classmethod
    def of(cls, value: float | Timeout | None) -> Timeout:
        """Return a `Timeout` for a number (the total), None (no timeout) or a `Timeout`."""
        if isinstance(value, Timeout):
            return value
        if value is None:
            return cls(None, connect=None, read=None, write=None, pool=None)
        return cls(float(checked_seconds("timeout", value, ", a Timeout or None")))


def for_files(timeout: Timeout) -> Timeout:
    """Return the timeouts for the bytes of a file: a total applies only if it was set."""
    return attrs.evolve(timeout, total=None) if isinstance(timeout.total, _ByDefault) else timeout


def for_sockets(timeout: Timeout) -> float:
    """Return the timeout to open a WebSocket, in seconds; infinite for none."""
    if isinstance(timeout.connect, _ByDefault):
        return 10.0
    return inf if timeout.connect is None else timeout.connect


@attrs.frozen(kw_only=True, init=False, repr=False)
class CallOptions(ReprMixin):
    """Options of one call. Options that are not set come from `with_options()` or the client.

    Raises:
        UsageError: An option is invalid.
    """

    timeout: float | Timeout | None | Unset = UNSET
    """Seconds per attempt in total, or a `Timeout`. None for no timeout."""
    max_retries: int | Unset = UNSET
    """Retries after the first attempt."""
    idempotency_key: str | None | Unset = UNSET
    """Idempotency key to send instead of a generated one; None to send none."""
    headers: Mapping[str, str] | None = attrs.field(default=None, repr=False)
    """Extra headers, in addition to those of the client."""
    cancel: CancelToken | None = None
    """Token that ends the call from another thread or task."""

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
                    "idempotency_key is empty: leave it out, or pass None to send no key"
                )
        if self.headers is not None:
            checked_headers("headers", self.headers)
        if self.cancel is not None:
            checked_instance("cancel", self.cancel, CancelToken, "a CancelToken")
