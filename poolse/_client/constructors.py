"""The constructors: what each kind of client is told, and what is refused at once."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from poolse._auth.credentials import api_key_from, credential
from poolse._auth.token_cache import subject
from poolse._client.base import ClientBase, HttpClientT, new_uuid
from poolse._http.errors import MAX_CONNECTIONS
from poolse._network.urls import api_url_from, socket_url
from poolse._profiles.resolver import MAX_PROFILES, profile_settings
from poolse._support.argument_checks import checked_callback, checked_count
from poolse._support.header_values import hidden
from poolse._support.lazy import Lazy
from poolse._support.open_resources import RunningRealtime, is_over
from poolse._support.secret import hidden_items
from poolse._support.size_limits import MAX_FRAME, MAX_RESPONSE
from poolse.errors import PoolseError
from poolse.hooks import Hooks
from poolse.options import Timeout, for_sockets

if TYPE_CHECKING:
    from poolse._realtime.settings import RealtimeSettings

__all__ = ["BackendClient", "UserClient"]

GetTokenT = TypeVar("GetTokenT", bound=Callable[[], object])
R = TypeVar("R", bound=RunningRealtime)
ResolverT = TypeVar("ResolverT", bound=Callable[[str], object])


class UserClient(ClientBase[HttpClientT], Generic[GetTokenT, ResolverT, HttpClientT]):
    """A client that acts for one user, and is told of what happens."""

    _variable = "chat"

    def __init__(
        self,
        *,
        get_token: GetTokenT | None = None,
        token: str | None = None,
        api_url: str | None = None,
        ws_url: str | None = None,
        socket_path: str = "/socket",
        http_client: HttpClientT | None = None,
        timeout: float | Timeout | None = Timeout(),  # noqa: B008 (immutable)
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        channels_per_socket: int = 90,
        max_connections: int = MAX_CONNECTIONS,
        max_response_bytes: int = MAX_RESPONSE,
        max_frame_bytes: int = MAX_FRAME,
        headers: Mapping[str, str] | None = None,
        user_agent: str | None = None,
        max_retries: int = 3,
        base_backoff: float = 0.25,
        max_backoff: float = 30.0,
        max_retry_after: float = 60.0,
        generate_idempotency_key: Callable[[], str] = new_uuid,
        hooks: Hooks | Sequence[Hooks] | None = None,
        on_socket_error: Callable[[PoolseError], object] | None = None,
        user_resolver: ResolverT | None = None,
        user_cache_size: int = MAX_PROFILES,
        user_cache_ttl: float | None = None,
    ) -> None:
        """Make a client.

        Nothing is sent, and no thread, task or socket is made, before the first call.

        Args:
            get_token: Returns the user's JWT, or None for an unauthenticated call. Called once per
                token life, by one caller at a time. In the async client it may be `async`.
            token: A fixed token instead of `get_token`. When both are left out, POOLSE_TOKEN of the
                environment is used.
            api_url: The API without `/v1`. Left out: POOLSE_API_URL of the environment, else the
                hosted API.
            ws_url: The WebSocket host, when it is not that of `api_url`.
            socket_path: Where the Phoenix socket is mounted.
            http_client: An httpx client to send with, never changed and never closed. With it, the
                total timeout and cancellation act between the phases of a request only.
            timeout: Seconds for one attempt in total, or a `Timeout`.
            proxy: URL of a proxy for REST and for the socket. Left out: that of the environment
                variables HTTPS_PROXY, HTTP_PROXY and ALL_PROXY, or the system's.
            ssl_context: TLS settings for REST and for the socket. Left out: what the environment
                variables SSL_CERT_FILE and SSL_CERT_DIR name is trusted, or the system's store.
            channels_per_socket: How many channels ride on one socket before the next is opened.
            max_connections: Size of the connection pool.
            max_response_bytes: A larger answer is a `DecodeError`, and is not read to its end.
                Downloads have `max_bytes` of their own.
            max_frame_bytes: A larger message on the socket ends its connection, which is opened
                again.
            headers: Sent with every REST call and with the socket's handshake.
            user_agent: Put before the library's own in the User-Agent header.
            max_retries: Attempts after the first, for network errors, 429 and 5xx.
            base_backoff: Seconds; doubled with each attempt, then a random part of it is waited.
            max_backoff: Seconds; the longest such wait.
            max_retry_after: Seconds; a server that asks for a longer wait gets none: the error is
                raised at once. The socket waits no longer than this.
            generate_idempotency_key: Makes the key of a call that changes something; a uuid4.
            hooks: Functions that are told of calls, retries and sockets; several in a list.
            on_socket_error: Told of realtime errors that do not end anything.
            user_resolver: Finds a user's name and picture in your own data, for `chat.users`: a
                `UserProfile` for a poolse user id, or None. In the async client it may be `async`.
            user_cache_size: How many of its answers are kept; the one used longest ago makes room.
            user_cache_ttl: For how many seconds each is kept; None for as long as there is room.

        Raises:
            UsageError: No credential, two of them, or an argument that makes no sense.
        """
        # First, so that no traceback shows them among its local variables.
        token, proxy = hidden(token), hidden(proxy)
        api_url, ws_url = hidden(api_url), hidden(ws_url)
        headers = hidden_items(headers)
        base = api_url_from(api_url, hidden(os.environ.get("POOLSE_API_URL")))
        self._socket_url = socket_url(ws_url, base, socket_path)
        self._max_frame = checked_count("max_frame_bytes", max_frame_bytes, 1)
        self._channels_per_socket = checked_count("channels_per_socket", channels_per_socket, 1)
        if on_socket_error is not None:
            checked_callback("on_socket_error", on_socket_error, awaits=self._asynchronous)
        self._on_socket_error = on_socket_error
        self._profile_settings = profile_settings(
            user_resolver, user_cache_size, user_cache_ttl, asynchronous=self._asynchronous
        )
        self._begin(
            credential=credential(
                get_token,
                token,
                hidden(os.environ.get("POOLSE_TOKEN")),
                asynchronous=self._asynchronous,
            ),
            api_url=base,
            http_client=http_client,
            timeout=timeout,
            proxy=proxy,
            ssl_context=ssl_context,
            max_connections=max_connections,
            max_response_bytes=max_response_bytes,
            headers=headers,
            user_agent=user_agent,
            max_retries=max_retries,
            base_backoff=base_backoff,
            max_backoff=max_backoff,
            max_retry_after=max_retry_after,
            generate_idempotency_key=generate_idempotency_key,
            hooks=hooks,
        )

    @property
    def user_id(self) -> str | None:
        """The user of the token last used: its `sub`, unverified. Sends and fetches nothing.

        With a fixed `token` it is known at once, with `get_token` once it was called. None before
        that, and for a token that does not say whose it is.
        """
        return subject(self._tokens.last)

    def _once(self, make: Callable[[], R]) -> Lazy[R]:
        """Realtime, made when it is first asked for."""

        def made() -> R:
            realtime = make()
            self._given.belongings.watch(realtime)
            return realtime

        return Lazy(made, is_over)

    def _realtime_settings(self) -> RealtimeSettings:
        # Only now: a script that sends a message needs nothing of realtime.
        from poolse._realtime.settings import RealtimeSettings

        return RealtimeSettings(
            url=self._socket_url,
            headers=self._settings.headers,
            proxy=self._given.proxy,
            ssl_context=self._given.ssl_context,
            channels_per_socket=self._channels_per_socket,
            max_frame=self._max_frame,
            ears=self._observers,
            connect_timeout=for_sockets(self._settings.timeout),
            max_retry_after=self._settings.max_retry_after,
        )


class BackendClient(ClientBase[HttpClientT]):
    """A client that acts for a whole tenant, by its API key."""

    _variable = "backend"

    def __init__(
        self,
        *,
        api_key: str | None = None,
        api_url: str | None = None,
        http_client: HttpClientT | None = None,
        timeout: float | Timeout | None = Timeout(),  # noqa: B008 (immutable)
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        max_connections: int = MAX_CONNECTIONS,
        max_response_bytes: int = MAX_RESPONSE,
        headers: Mapping[str, str] | None = None,
        user_agent: str | None = None,
        max_retries: int = 3,
        base_backoff: float = 0.25,
        max_backoff: float = 30.0,
        max_retry_after: float = 60.0,
        generate_idempotency_key: Callable[[], str] = new_uuid,
        hooks: Hooks | Sequence[Hooks] | None = None,
    ) -> None:
        """Make a client for your own server. Keep it, and the key, away from your users.

        Nothing is sent, and no thread, task or socket is made, before the first call.

        Args:
            api_key: The tenant's API key. Left out: POOLSE_API_KEY of the environment.
            api_url: The API without `/v1`. Left out: POOLSE_API_URL of the environment, else the
                hosted API.
            http_client: An httpx client to send with, never changed and never closed. With it, the
                total timeout and cancellation act between the phases of a request only.
            timeout: Seconds for one attempt in total, or a `Timeout`.
            proxy: URL of a proxy. Left out: that of the environment variables HTTPS_PROXY,
                HTTP_PROXY and ALL_PROXY, or the system's.
            ssl_context: TLS settings. Left out: what the environment variables SSL_CERT_FILE and
                SSL_CERT_DIR name is trusted, or the system's store.
            max_connections: Size of the connection pool.
            max_response_bytes: A larger answer is a `DecodeError`, and is not read to its end.
                Downloads have `max_bytes` of their own.
            headers: Sent with every call.
            user_agent: Put before the library's own in the User-Agent header.
            max_retries: Attempts after the first, for network errors, 429 and 5xx.
            base_backoff: Seconds; doubled with each attempt, then a random part of it is waited.
            max_backoff: Seconds; the longest such wait.
            max_retry_after: Seconds; a server that asks for a longer wait gets none: the error is
                raised at once.
            generate_idempotency_key: Makes the key of a call that changes something; a uuid4.
            hooks: Functions that are told of calls, retries and sockets; several in a list.

        Raises:
            UsageError: No API key, or an argument that makes no sense.
        """
        # First, so that no traceback shows them among its local variables.
        api_key, proxy, api_url = hidden(api_key), hidden(proxy), hidden(api_url)
        headers = hidden_items(headers)
        self._begin(
            credential=api_key_from(api_key, hidden(os.environ.get("POOLSE_API_KEY"))),
            api_url=api_url_from(api_url, hidden(os.environ.get("POOLSE_API_URL"))),
            http_client=http_client,
            timeout=timeout,
            proxy=proxy,
            ssl_context=ssl_context,
            max_connections=max_connections,
            max_response_bytes=max_response_bytes,
            headers=headers,
            user_agent=user_agent,
            max_retries=max_retries,
            base_backoff=base_backoff,
            max_backoff=max_backoff,
            max_retry_after=max_retry_after,
            generate_idempotency_key=generate_idempotency_key,
            hooks=hooks,
        )
