"""What both clients have in common: the constructor, and views with other options."""

from __future__ import annotations

import os
import random
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Generic, Self, TypeVar

import attrs

from poolse._core.hands import Hands, Sender, Tokens
from poolse._core.settings import Settings, api_url_from, credential, socket_url
from poolse._core.tokens import FixedToken
from poolse._http.callers import Lifetime
from poolse._http.mapping import MAX_CONNECTIONS
from poolse._http.user_agent import user_agent_of
from poolse.cancel import CancelToken
from poolse.errors import PoolseError
from poolse.options import CallOptions, Timeout
from poolse.types import UNSET, Unset

if TYPE_CHECKING:
    from poolse._realtime.settings import RealtimeSettings

__all__ = ["Client", "Once"]

GetToken = TypeVar("GetToken")
HttpClient = TypeVar("HttpClient")
T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Given(Generic[GetToken, HttpClient]):
    """What the constructor was given beside the settings of a call."""

    credential: GetToken | str
    http_client: HttpClient | None
    proxy: str | None
    ssl_context: ssl.SSLContext | None
    max_connections: int
    socket_url: str
    channels_per_socket: int
    on_socket_error: Callable[[PoolseError], object] | None

    def sender(self, kind: Callable[..., T]) -> T:
        """A sender of this kind."""
        return kind(
            http_client=self.http_client,
            proxy=self.proxy,
            ssl_context=self.ssl_context,
            max_connections=self.max_connections,
        )

    def tokens(self, kind: Callable[[GetToken], T]) -> FixedToken | T:
        """What hands out the token: one of this kind, unless there is a fixed one."""
        given = self.credential
        return FixedToken(given) if isinstance(given, str) else kind(given)


class Once(Generic[T]):
    """Made when first asked for, once, whichever thread asks."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self.made: T | None = None

    def get(self) -> T:
        """The one object."""
        with self._lock:
            if self.made is None:
                self.made = self._make()
            return self.made


class Client(Generic[GetToken, HttpClient]):
    """What both clients have in common."""

    def __init__(
        self,
        *,
        get_token: GetToken | None = None,
        token: str | None = None,
        api_url: str | None = None,
        ws_url: str | None = None,
        socket_path: str = "/socket",
        http_client: HttpClient | None = None,
        timeout: float | Timeout | None = Timeout(),  # noqa: B008 (immutable)
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        channels_per_socket: int = 90,
        max_connections: int = MAX_CONNECTIONS,
        headers: Mapping[str, str] | None = None,
        user_agent: str | None = None,
        max_retries: int = 3,
        base_backoff: float = 0.25,
        max_backoff: float = 30.0,
        max_retry_after: float = 60.0,
        generate_idempotency_key: Callable[[], str] = lambda: str(uuid.uuid4()),
        on_socket_error: Callable[[PoolseError], object] | None = None,
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
            proxy: URL of a proxy for REST and for the socket. Left out: the environment's.
            ssl_context: TLS settings for REST and for the socket. Left out: the system's.
            channels_per_socket: How many channels ride on one socket before the next is opened.
            max_connections: Size of the connection pool.
            headers: Sent with every REST call and with the socket's handshake.
            user_agent: Put before the library's own in the User-Agent header.
            max_retries: Attempts after the first, for network errors, 429 and 5xx.
            base_backoff: Seconds; doubled with each attempt, then a random part of it is waited.
            max_backoff: Seconds; the longest such wait.
            max_retry_after: Seconds; a server that asks for a longer wait gets none: the error is
                raised at once.
            generate_idempotency_key: Makes the key of a call that changes something; a uuid4.
            on_socket_error: Told of realtime errors that do not end anything.

        Raises:
            UsageError: No credential, two of them, or a URL of another scheme.
        """
        base = api_url_from(api_url, os.environ)
        self._settings = Settings(
            api_url=base,
            timeout=Timeout.of(timeout),
            max_retries=max_retries,
            base_backoff=base_backoff,
            max_backoff=max_backoff,
            max_retry_after=max_retry_after,
            headers={"User-Agent": user_agent_of(user_agent), **(headers or {})},
            new_key=generate_idempotency_key,
            new_id=lambda: str(uuid.uuid4()),
        )
        self._given = Given(
            credential=credential(get_token, token, os.environ),
            http_client=http_client,
            proxy=proxy,
            ssl_context=ssl_context,
            max_connections=max_connections,
            socket_url=socket_url(ws_url, base, socket_path),
            channels_per_socket=channels_per_socket,
            on_socket_error=on_socket_error,
        )
        self._lifetime = Lifetime()
        self._owner = True
        self._assemble()
        self._expose()

    def with_options(
        self,
        *,
        timeout: float | Timeout | None | Unset = UNSET,
        max_retries: int | Unset = UNSET,
        headers: Mapping[str, str] | None = None,
        cancel: CancelToken | None = None,
    ) -> Self:
        """A view of this client whose calls have other options.

        It shares connections, token and realtime with this client, costs next to nothing, and
        closes nothing when it is closed.

        Args:
            timeout: Seconds for one attempt in total, or a `Timeout`.
            max_retries: Attempts after the first.
            headers: Sent beside the client's own.
            cancel: Ends the calls made through the view.
        """
        options = CallOptions(
            timeout=timeout, max_retries=max_retries, headers=headers, cancel=cancel
        )
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)
        view._settings = self._settings.for_call(options)
        view._owner = False
        view._expose()
        return view

    def __repr__(self) -> str:
        closed = " closed" if self._lifetime.closed else ""
        return f"<{type(self).__name__} {self._settings.api_url}{closed}>"

    def _assemble(self) -> None:
        """Make what all views share."""
        raise NotImplementedError

    def _expose(self) -> None:
        """Make the resources, for the settings of this view."""
        raise NotImplementedError

    def _hands(self, sender: Sender, tokens: Tokens) -> Hands:
        return Hands(sender, tokens, time.time, random.random)

    def _realtime_settings(self) -> RealtimeSettings:
        from poolse._realtime.settings import RealtimeSettings

        return RealtimeSettings(
            url=self._given.socket_url,
            headers=self._settings.headers,
            proxy=self._given.proxy,
            ssl_context=self._given.ssl_context,
            channels_per_socket=self._given.channels_per_socket,
        )
