"""Arguments of the constructors, validated once."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import attrs

from poolse._auth.credentials import check_http_client
from poolse._generated.service import ERRORS, URL
from poolse._network.urls import api_url_from, socket_url
from poolse._profiles.resolver import ProfileSettings
from poolse._rest.settings import Settings, merged
from poolse._support.argument_checks import (
    PLAIN_HINT,
    checked_callback,
    checked_count,
    checked_headers,
    checked_instance,
    checked_seconds,
    checked_text,
)
from poolse._support.secret import Secret, hidden
from poolse._support.version import version
from poolse.errors import PoolseError
from poolse.hooks import Hooks
from poolse.options import Timeout, for_sockets

if TYPE_CHECKING:
    from poolse._observe.observers import Observers
    from poolse._realtime.settings import RealtimeSettings

__all__ = ["POOLSE_API_URL", "ClientOptions", "UserOptions", "new_uuid"]

POOLSE_API_URL: Final = URL
"""Base URL of the hosted API."""

Validator = Callable[["ClientOptions", "attrs.Attribute[Any]", Any], None]


def new_uuid() -> str:
    """Return a random UUID."""
    # Imported lazily: slow to load, and a program that only reads needs none.
    from uuid import uuid4

    return str(uuid4())


def _checked(check: Callable[..., object], *arguments: object) -> Validator:
    """Validate by one of the functions that check arguments."""

    def validate(_: ClientOptions, attribute: attrs.Attribute[Any], value: object) -> None:
        check(attribute.name, value, *arguments)

    return validate


def _checked_callback(options: ClientOptions, attribute: attrs.Attribute[Any], value: Any) -> None:  # noqa: ANN401
    if value is not None:
        checked_callback(attribute.name, value, awaits=options.asynchronous)


def _checked_key_function(_: object, attribute: attrs.Attribute[Any], value: Any) -> None:  # noqa: ANN401
    checked_callback(attribute.name, value, awaits=False, hint=PLAIN_HINT)


def _checked_http_client(options: ClientOptions, _: object, value: object) -> None:
    if value is not None:
        check_http_client(value, asynchronous=options.asynchronous)


def _api_url(argument: str | None) -> str:
    return api_url_from(argument, hidden(os.environ.get("POOLSE_API_URL")), POOLSE_API_URL)


def _timeout(argument: float | Timeout | None) -> Timeout:
    return Timeout.of(argument)


def _user_agent(application: str | None) -> str:
    """`poolse-python/x.y (python/3.11)`, after the application's own name if given."""
    if application is not None:
        checked_text("user_agent", application)
    release = ".".join(version.split(".")[:2])
    own = f"poolse-python/{release} (python/{sys.version_info.major}.{sys.version_info.minor})"
    return f"{application} {own}" if application else own


def _settings_of(options: ClientOptions) -> Settings:
    headers = checked_headers("headers", {"User-Agent": _user_agent(options.user_agent)})
    if options.headers is not None:
        headers = merged(headers, checked_headers("headers", options.headers))
    return Settings(
        api_url=options.api_url,
        timeout=options.timeout,
        max_retries=options.max_retries,
        base_backoff=options.base_backoff,
        max_backoff=options.max_backoff,
        max_retry_after=options.max_retry_after,
        headers=headers,
        new_key=options.generate_idempotency_key,
        new_id=new_uuid,
        errors=ERRORS,
    )


def _socket_url_of(options: UserOptions) -> str:
    return socket_url(options.ws_url, options.api_url, options.socket_path)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ClientOptions:
    """Arguments of the constructors of all clients, those of an async one if `asynchronous`.

    Constructors hide secrets before they come here, so that no traceback shows them among the
    local variables.
    """

    asynchronous: bool
    credential: Callable[[], object] | Secret
    """Issues the token, or is the token."""
    api_url: str = attrs.field(converter=_api_url)
    http_client: Any = attrs.field(validator=_checked_http_client)
    timeout: Timeout = attrs.field(converter=_timeout)
    proxy: str | None
    ssl_context: ssl.SSLContext | None = attrs.field(
        validator=attrs.validators.optional(
            _checked(checked_instance, ssl.SSLContext, "an ssl.SSLContext")
        )
    )
    max_connections: int = attrs.field(validator=_checked(checked_count, 1))
    max_response_bytes: int = attrs.field(validator=_checked(checked_count, 1))
    headers: Mapping[str, str] | None
    user_agent: str | None
    max_retries: int = attrs.field(validator=_checked(checked_count))
    base_backoff: float = attrs.field(validator=_checked(checked_seconds))
    max_backoff: float = attrs.field(validator=_checked(checked_seconds))
    max_retry_after: float = attrs.field(validator=_checked(checked_seconds))
    generate_idempotency_key: Callable[[], str] = attrs.field(validator=_checked_key_function)
    hooks: Hooks | Sequence[Hooks] | None
    settings: Settings = attrs.field(
        init=False, default=attrs.Factory(_settings_of, takes_self=True)
    )
    """Settings of a call without options."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class UserOptions(ClientOptions):
    """Arguments of the constructors of clients that act for a user."""

    ws_url: str | None
    socket_path: str
    channels_per_socket: int = attrs.field(validator=_checked(checked_count, 1))
    max_frame_bytes: int = attrs.field(validator=_checked(checked_count, 1))
    on_socket_error: Callable[[PoolseError], object] | None = attrs.field(
        validator=_checked_callback
    )
    profiles: ProfileSettings
    socket_url: str = attrs.field(
        init=False, default=attrs.Factory(_socket_url_of, takes_self=True)
    )

    def realtime_settings(self, observers: Observers) -> RealtimeSettings:
        """Return the settings of realtime."""
        # Imported lazily: REST-only scripts need nothing of realtime.
        from poolse._realtime.settings import RealtimeSettings

        return RealtimeSettings(
            url=self.socket_url,
            headers=self.settings.headers,
            proxy=self.proxy,
            ssl_context=self.ssl_context,
            channels_per_socket=self.channels_per_socket,
            max_frame=self.max_frame_bytes,
            observers=observers,
            connect_timeout=for_sockets(self.timeout),
            max_retry_after=self.max_retry_after,
        )
