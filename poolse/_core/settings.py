"""What a client was told at construction, and how a view or a call changes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import attrs

from poolse._checks import checked_instance
from poolse.cancel import CancelToken
from poolse.errors import UsageError
from poolse.options import CallOptions, Timeout
from poolse.types import UNSET, Unset

__all__ = ["POOLSE_API_URL", "Settings", "api_url_from", "credential", "merged", "socket_url"]

GetToken = TypeVar("GetToken")

POOLSE_API_URL: Final = "https://api.poolse.dev"
"""The hosted API."""


@attrs.frozen(kw_only=True)
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
        checked_instance("options", options, CallOptions)
        return attrs.evolve(
            self,
            timeout=self.timeout if options.timeout is UNSET else Timeout.of(options.timeout),
            max_retries=self.max_retries if options.max_retries is UNSET else options.max_retries,
            idempotency_key=options.idempotency_key,
            headers=merged(self.headers, options.headers) if options.headers else self.headers,
            cancel=options.cancel or self.cancel,
        )


def merged(headers: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """Both, where `more` wins. To HTTP, names that differ in case only are the same."""
    replaced = {name.lower() for name in more}
    kept = {name: value for name, value in headers.items() if name.lower() not in replaced}
    return {**kept, **more}


def api_url_from(argument: str | None, environment: Mapping[str, str]) -> str:
    """The API's base URL: the argument, else POOLSE_API_URL, else the hosted API."""
    url = (argument or environment.get("POOLSE_API_URL") or POOLSE_API_URL).rstrip("/")
    if not url.lower().startswith(("http://", "https://")):
        raise UsageError(f"api_url must start with http:// or https://, not {url!r}")
    return url


def socket_url(ws_url: str | None, api_url: str, socket_path: str) -> str:
    """Where the Phoenix socket is mounted, as a ws:// or wss:// URL."""
    base = (ws_url or api_url).rstrip("/")
    scheme, separator, rest = base.partition("://")
    scheme = {"http": "ws", "https": "wss"}.get(scheme.lower(), scheme.lower())
    if not separator or scheme not in ("ws", "wss"):
        raise UsageError(f"ws_url must start with ws:// or wss://, not {base!r}")
    return f"{scheme}://{rest}/{socket_path.strip('/')}"


def credential(
    get_token: GetToken | None, token: str | None, environment: Mapping[str, str]
) -> GetToken | str:
    """The fixed token, or the function that gives them."""
    if get_token is not None and token is not None:
        raise UsageError("give get_token or token, not both")
    found = get_token or token or environment.get("POOLSE_TOKEN")
    if not found:
        raise UsageError("no credential: give get_token or token, or set POOLSE_TOKEN")
    return found
