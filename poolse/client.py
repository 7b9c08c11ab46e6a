# Printed from poolse/async_client.py by "make generate". Do not edit.
"""The sync clients."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import httpx

from poolse._auth.credentials import api_key_from, credential
from poolse._auth.token_cache import subject
from poolse._client.base import ClientBase
from poolse._client.core import BackendCore, UserCore
from poolse._client.options import ClientOptions, UserOptions, new_uuid
from poolse._generated.backend_resources import BackendResources
from poolse._generated.resources import Resources
from poolse._http.errors import MAX_CONNECTIONS
from poolse._profiles.resolver import MAX_PROFILES, Resolver, profile_settings
from poolse._rest.calls import Calls
from poolse._rest.settings import Settings
from poolse._support.secret import hidden, hidden_items
from poolse._support.size_limits import MAX_FRAME, MAX_RESPONSE
from poolse.cancel import CancelToken
from poolse.errors import PoolseError
from poolse.hooks import Hooks
from poolse.options import Timeout
from poolse.types import UNSET, GetToken, Unset

if TYPE_CHECKING:
    from uuid import UUID

    from poolse._auth.token_provider import TokenProvider
    from poolse._follow.checkpoints import Checkpoint
    from poolse._follow.positions import After, Gap
    from poolse._generated.channels import PoolseRealtime
    from poolse._generated.models import Conversation, Me, Message, User
    from poolse._generated.resources import ConversationHandle, Feed
    from poolse.profiles import UsersResource

__all__ = ["HttpClient", "Poolse", "PoolseBackend"]

_ASYNCHRONOUS: Final = False

HttpClient = httpx.Client
"""What may be given as `http_client`."""


class Poolse(ClientBase[UserCore], Resources):
    """The sync client of the poolse chat backend. Thread-safe. Make one and share it.

    Example:
        >>> with Poolse(get_token=mint) as chat:
        ...     chat.me.show()
    """

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
        user_resolver: Resolver | None = None,
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
        options = UserOptions(
            asynchronous=_ASYNCHRONOUS,
            credential=credential(
                get_token, token, hidden(os.environ.get("POOLSE_TOKEN")), asynchronous=_ASYNCHRONOUS
            ),
            api_url=api_url,
            ws_url=ws_url,
            socket_path=socket_path,
            http_client=http_client,
            timeout=timeout,
            proxy=proxy,
            ssl_context=ssl_context,
            channels_per_socket=channels_per_socket,
            max_connections=max_connections,
            max_response_bytes=max_response_bytes,
            max_frame_bytes=max_frame_bytes,
            headers=headers,
            user_agent=user_agent,
            max_retries=max_retries,
            base_backoff=base_backoff,
            max_backoff=max_backoff,
            max_retry_after=max_retry_after,
            generate_idempotency_key=generate_idempotency_key,
            hooks=hooks,
            on_socket_error=on_socket_error,
            profiles=profile_settings(
                user_resolver, user_cache_size, user_cache_ttl, asynchronous=_ASYNCHRONOUS
            ),
        )
        self._compose(UserCore(options, type(self).__name__), options.settings)

    def _compose(self, core: UserCore, settings: Settings, *, is_view: bool = False) -> None:
        calls = Calls(core.io, settings, self._followed)
        Resources.__init__(self, self._attach(core, calls, is_view=is_view))

    @property
    def user_id(self) -> str | None:
        """The user of the token last used: its `sub`, unverified. Sends and fetches nothing.

        With a fixed `token` it is known at once, with `get_token` once it was called. None before
        that, and for a token that does not say whose it is.
        """
        return subject(self._core.tokens.last)

    @property
    def users(self) -> UsersResource:
        """Users' names and pictures, as your `user_resolver` finds them."""
        return self._core.users

    @property
    def realtime(self) -> PoolseRealtime:
        """Live events, typing and presence. The socket opens with the first channel."""
        return self._core.realtime

    def follow(
        self,
        conversation_ids: Sequence[str | UUID | Conversation | ConversationHandle] | None = None,
        *,
        after: After | Unset = UNSET,
        checkpoint: Checkpoint | None = None,
        skip_own: bool = True,
        on_gap: Callable[[Gap], object] | None = None,
        max_backfill: int | None = None,
        cancel: CancelToken | None = None,
    ) -> Feed[Message, ConversationHandle]:
        """Follow conversations: every message once and in order, over drops and restarts.

        It joins their channels and reads what was missed from their lists. Replies in threads come
        as they are sent; those that are missed are in no list, and go to `on_gap`.

        Args:
            conversation_ids: Which ones; None is all, also those that are made meanwhile.
            after: Where to start: a sequence, a `Position`, "latest", "beginning" or `Last(n)`.
                Left out: where the checkpoint says, else "latest".
            checkpoint: Where to keep how far each conversation was followed.
            skip_own: Leave out what the user of the token sent.
            on_gap: Called with each `Gap` of numbers that were passed over.
            max_backfill: After an outage or a restart, read no more than the last so many numbers
                of what was missed in a conversation; `on_gap`, which it needs, is told of the
                others. Left out: read all.
            cancel: Ends it from another thread or task.

        Returns:
            A context manager, and an iterator of deliveries.

        Raises:
            JoinError: By the iterator: the server refused the channel.
            FeedReset: By the iterator, if one conversation is followed: its log began anew, so that
                the position means nothing. If several are followed it goes to `on_socket_error`,
                and that conversation is followed from its first message.
            CheckpointError: When it begins, and by the iterator: the checkpoint failed.
            ApiError: When it begins, and by the iterator: what does not pass by itself.
            Cancelled: By the iterator: `cancel` was cancelled.

        Example:
            >>> with chat.follow(checkpoint=SQLiteCheckpoint("bot.db")) as feed:
            ...     for item in feed:
            ...         item.reply(body="Hello")
        """
        # Imported lazily: most programs follow nothing, and not every spec has feeds.
        from poolse._follow.loop import feed_loop
        from poolse._generated.resources import Feed

        loop = feed_loop(
            self,
            conversation_ids,
            after=after,
            checkpoint=checkpoint,
            skip_own=skip_own,
            on_gap=on_gap,
            max_backfill=max_backfill,
            cancel=cancel,
        )
        return Feed(loop)

    def _followed(self, key: str, **choices: Any) -> object:  # noqa: ANN401
        """The loop of a feed of one conversation."""
        from poolse._follow.loop import feed_loop

        return feed_loop(self, [key], **choices)


class PoolseBackend(ClientBase[BackendCore], BackendResources):
    """The sync client for your own server, which creates users and tokens. Thread-safe.

    Example:
        >>> with PoolseBackend(api_key=key) as backend:
        ...     user = backend.users.create(external_id="ann", display_name="Ann")
        ...     token = (backend.users.create_token(user.id)).token
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        api_url: str | None = None,
        http_client: HttpClient | None = None,
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
        options = ClientOptions(
            asynchronous=_ASYNCHRONOUS,
            credential=api_key_from(api_key, hidden(os.environ.get("POOLSE_API_KEY"))),
            api_url=api_url,
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
        self._compose(BackendCore(options, type(self).__name__), options.settings)

    def _compose(self, core: BackendCore, settings: Settings, *, is_view: bool = False) -> None:
        calls = Calls(core.io, settings)
        BackendResources.__init__(self, self._attach(core, calls, is_view=is_view))

    def token_provider(self, external_id: str | UUID | User | Me) -> TokenProvider:
        """A `get_token` for one of your users, for a route of yours or a client in this process.

        Nothing is sent before it is called. It can be asked for again and again: tokens are kept
        per user, for 10,000 users.

        Args:
            external_id: Your own ID of the user, a str or `uuid.UUID`, or an object that has it.
                A user who does not exist yet is created.

        Raises:
            UsageError: The ID is empty, or no ID.

        Example:
            >>> backend.token_provider("u-1")()
        """
        from poolse._auth.token_provider import TokenProvider

        return TokenProvider(self._core.minter, external_id)
