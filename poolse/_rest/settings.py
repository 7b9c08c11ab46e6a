"""What a client was told at construction, and how a view or a call changes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from poolse._support.argument_checks import (
    checked_instance,
)
from poolse.cancel import CancelToken, any_of
from poolse.options import CallOptions, Timeout
from poolse.types import UNSET, Unset

__all__ = ["Settings", "merged"]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Settings:
    """Everything that decides how a call goes, in one immutable object."""

    api_url: str
    """Without `/v1`, without a trailing slash."""
    timeout: Timeout
    max_retries: int
    base_backoff: float
    """Seconds."""
    max_backoff: float
    """Seconds."""
    max_retry_after: float
    """Seconds."""
    headers: Mapping[str, str] = attrs.field(repr=False)
    new_key: Callable[[], str]
    new_id: Callable[[], str]
    cancel: CancelToken | None = None
    idempotency_key: str | None | Unset = UNSET

    def for_call(self, options: CallOptions | None) -> Settings:
        """These settings, with what `options` says instead where it says something."""
        if options is None:
            return self
        checked_instance("options", options, CallOptions, "a CallOptions")
        return attrs.evolve(
            self,
            timeout=self.timeout if options.timeout is UNSET else Timeout.of(options.timeout),
            max_retries=self.max_retries if options.max_retries is UNSET else options.max_retries,
            idempotency_key=options.idempotency_key,
            headers=merged(self.headers, options.headers) if options.headers else self.headers,
            cancel=any_of(self.cancel, options.cancel),
        )


def merged(headers: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """Both, where `more` wins. To HTTP, names that differ in case only are the same."""
    replaced = {name.lower() for name in more}
    kept = {name: value for name, value in headers.items() if name.lower() not in replaced}
    return {**kept, **more}
