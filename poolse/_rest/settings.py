"""The settings of a client, and how a view or a call changes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from poolse._network.urls import split
from poolse._rest.endpoint import ErrorPaths
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
    errors: ErrorPaths
    cancel: CancelToken | None = None
    idempotency_key: str | None | Unset = UNSET
    origin: str = attrs.field(
        init=False, default=attrs.Factory(lambda self: split(self.api_url)[0], takes_self=True)
    )
    """Scheme, host and port of the API."""
    base_path: str = attrs.field(
        init=False,
        default=attrs.Factory(lambda self: split(self.api_url)[2].rstrip("/"), takes_self=True),
    )
    """The path of the API's URL, without a trailing slash; mostly empty."""
    header_names: frozenset[str] = attrs.field(
        init=False,
        default=attrs.Factory(
            lambda self: frozenset(map(str.lower, self.headers)), takes_self=True
        ),
        repr=False,
    )
    """Names of the headers, in lower case."""

    def for_call(self, options: CallOptions | None) -> Settings:
        """Return these settings with the options of a call in their place."""
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
    """Return both, where `more` wins. To HTTP, names that differ in case only are the same."""
    replaced = {name.lower() for name in more}
    kept = {name: value for name, value in headers.items() if name.lower() not in replaced}
    return {**kept, **more}
