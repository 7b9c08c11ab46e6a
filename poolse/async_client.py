"""The async clients."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from poolse._auth.credentials import api_key_from, credential
from poolse._auth.token_cache import subject
from poolse._client.async_base import AsyncClientBase
from poolse._client.async_core import AsyncBackendCore, AsyncUserCore
from poolse._client.options import ClientOptions, UserOptions, new_uuid
from poolse._generated.async_backend_resources import AsyncBackendResources
from poolse._generated.async_resources import AsyncResources
from poolse._http.errors import MAX_CONNECTIONS
from poolse._profiles.resolver import MAX_PROFILES, AsyncResolver, UsersBy, profile_settings
from poolse._rest.async_calls import AsyncCalls
from poolse._rest.settings import Settings
from poolse._support.secret import hidden, hidden_items
from poolse._support.size_limits import MAX_FRAME, MAX_RESPONSE
from poolse.cancel import CancelToken
from poolse.errors import PoolseError
from poolse.hooks import Hooks
from poolse.options import Timeout
from poolse.types import UNSET, AsyncGetToken, Unset

if TYPE_CHECKING:
    from uuid import UUID

    from poolse._auth.async_token_provider import AsyncTokenProvider
    from poolse._client.async_realtime import AsyncPoolseRealtime
    from poolse._follow.checkpoints import AsyncCheckpoint, Checkpoint
    from poolse._follow.positions import After, Gap
    from poolse._generated.async_resources import AsyncConversationHandle, AsyncFeed
    from poolse._generated.models import Conversation, Me, Message, User
    from poolse._http.client_types import AsyncHttpClient
    from poolse._state.async_live_state import AsyncLiveState
    from poolse.profiles import AsyncUsersResource

__all__ = ["AsyncPoolse", "AsyncPoolseBackend"]

_ASYNCHRONOUS: Final = True  # sync: _ASYNCHRONOUS: Final = False


class AsyncPoolse(AsyncClientBase[AsyncUserCore], AsyncResources):
    """The async client of the poolse chat API, for one event loop. Create one and share it.

    Example:
        >>> async with AsyncPoolse(get_token=fetch_token) as chat:
        ...     await chat.me.show()
    """

    def __init__(
        self,
        *,
        get_token: AsyncGetToken | None = None,
        token: str | None = None,
        api_url: str | None = None,
        ws_url: str | None = None,
        socket_path: str = "/socket",
        http_client: AsyncHttpClient | None = None,
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
        user_resolver: AsyncResolver | None = None,
        user_cache_size: int = MAX_PROFILES,
        user_cache_ttl: float | None = None,
        users_by: UsersBy = "user_id",
    ) -> None:
        """Create a client.

        Makes no request, and creates no thread, task or socket, before the first call.

        Args:
            get_token: Function that returns the user's JWT, or None for unauthenticated calls.
                Called once per token lifetime, by one caller at a time. Async clients also accept
                an async function.
            token: A fixed token instead of `get_token`. Default: the `POOLSE_TOKEN` environment
                variable, if `get_token` is not passed either.
            api_url: Base URL of the API, without `/v1`. Default: the `POOLSE_API_URL` environment
                variable, else the hosted API.
            ws_url: URL of the WebSocket host, if it is not the host of `api_url`.
            socket_path: Path of the Phoenix socket.
            http_client: Your own httpx client. It is never changed or closed. With it, the total
                timeout and cancellation take effect only between the phases of a request.
            timeout: Seconds per attempt in total, or a `Timeout`. None for no timeout.
            proxy: URL of a proxy for REST and the socket. Default: the `HTTPS_PROXY`, `HTTP_PROXY`
                and `ALL_PROXY` environment variables, or the system's settings.
            ssl_context: TLS settings for REST and the socket. Default: trust the certificates of
                the `SSL_CERT_FILE` and `SSL_CERT_DIR` environment variables, or the system's store.
            channels_per_socket: Maximum number of channels per socket; more open another socket.
            max_connections: Maximum number of HTTP connections.
            max_response_bytes: Responses larger than this raise `DecodeError` (file downloads
                excluded, see their `max_bytes`).
            max_frame_bytes: A larger message on the socket closes the connection, and the client
                reconnects.
            headers: Extra headers of every REST request and of the socket's handshake.
            user_agent: Prefix of the User-Agent header.
            max_retries: Retries after the first attempt, for network errors, 429 and 5xx.
            base_backoff: Seconds of the first backoff, which doubles with each retry. The actual
                wait is random, up to the backoff.
            max_backoff: Maximum backoff in seconds.
            max_retry_after: Maximum `Retry-After` in seconds. If the server asks for more, the
                error is raised immediately. The socket waits at most this long.
            generate_idempotency_key: Function that returns the idempotency key of a write. Default:
                a uuid4.
            hooks: `Hooks`, or a sequence of them, called on requests, retries and socket events.
            on_socket_error: Called with non-fatal realtime errors.
            user_resolver: Function that returns the `UserProfile` (name and avatar) of a user ID
                from your own data, or None, for `chat.users`. It is called with the ID that
                `users_by` names. Async clients also accept an async function.
            user_cache_size: Maximum number of cached profiles. The least recently used is evicted.
            user_cache_ttl: Seconds to cache a profile; None for no expiry.
            users_by: Which ID `user_resolver` is called with and `chat.users` is keyed by:
                "user_id", the poolse ID, or "external_id", your own ID. New in 0.4.

        Raises:
            UsageError: No credential, or two of them, or an invalid argument.
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
                user_resolver,
                user_cache_size,
                user_cache_ttl,
                users_by,
                asynchronous=_ASYNCHRONOUS,
            ),
        )
        self._compose(AsyncUserCore(options, type(self).__name__), options.settings)

    def _compose(self, core: AsyncUserCore, settings: Settings, *, is_view: bool = False) -> None:
        calls = AsyncCalls(core.io, settings, self._followed, core.known_ids)
        AsyncResources.__init__(self, self._attach(core, calls, is_view=is_view))

    @property
    def user_id(self) -> str | None:
        """User ID from the last token: its `sub` claim, not verified. Makes no request.

        Known immediately with a fixed `token`, and with `get_token` after its first call. None
        before that, and for a token without a `sub`.
        """
        return subject(self._core.tokens.last)

    @property
    def users(self) -> AsyncUsersResource:
        """Names and avatars of users, from your `user_resolver`, cached."""
        return self._core.users

    @property
    def realtime(self) -> AsyncPoolseRealtime:
        """Realtime events, typing indicators and presence. Connects with the first channel."""
        return self._core.realtime

    @property
    def state(self) -> AsyncLiveState:
        """States that are always current: the inbox, and single conversations. New in 0.6."""
        return self._core.state

    def follow(
        self,
        conversation_ids: Sequence[str | UUID | Conversation | AsyncConversationHandle]
        | None = None,
        *,
        after: After | Unset = UNSET,
        checkpoint: Checkpoint | AsyncCheckpoint | None = None,
        skip_own: bool = True,
        on_gap: Callable[[Gap], object] | None = None,
        max_backfill: int | None = None,
        cancel: CancelToken | None = None,
    ) -> AsyncFeed[Message, AsyncConversationHandle]:
        """Follow conversations: every message once and in order, across reconnects and restarts.

        Joins the channels, and fetches missed messages with `list`. Replies in threads are
        delivered live; missed replies are not in the list and are reported to `on_gap`.

        Args:
            conversation_ids: The conversations. None for all, including new ones.
            after: Where to start: a sequence, a `Position`, "latest", "beginning" or `Last(n)`.
                Default: the position in the checkpoint, else "latest".
            checkpoint: Where to save the positions, to resume from them after a restart.
            skip_own: Skip messages that the signed-in user sent.
            on_gap: Called with each `Gap`: sequence numbers that the feed skipped.
            max_backfill: After an outage or a restart, read at most this many of the missed
                sequence numbers of a conversation, the newest ones. `on_gap`, which is then
                required, is called with the others. Default: read all.
            cancel: Token that ends the feed from another thread or task.

        Returns:
            A context manager, and an iterator of deliveries.

        Raises:
            UsageError: On entering: an argument is invalid.
            CheckpointError: On entering or iterating: the checkpoint failed.
            ApiError: On entering or iterating: the server refused a request.
            JoinError: On iterating: the server refused to join the channel.
            FeedReset: On iterating, if one conversation is followed: its sequence numbers
                restarted, so that the position is invalid. If several are followed, the error is
                reported to `on_socket_error`, and the conversation is followed from its first
                message.
            Cancelled: On iterating: `cancel` was cancelled.

        Example:
            >>> async with chat.follow(checkpoint=SQLiteCheckpoint("bot.db")) as feed:
            ...     async for item in feed:
            ...         await item.reply(body="Hello")
        """
        # Imported lazily: most programs follow nothing, and not every spec has feeds.
        from poolse._follow.async_loop import async_feed_loop
        from poolse._generated.async_resources import AsyncFeed

        loop = async_feed_loop(
            self,
            conversation_ids,
            after=after,
            checkpoint=checkpoint,
            skip_own=skip_own,
            on_gap=on_gap,
            max_backfill=max_backfill,
            cancel=cancel,
        )
        return AsyncFeed(loop)

    def _followed(self, key: str, **choices: Any) -> object:  # noqa: ANN401
        """Return the loop of a feed of one conversation."""
        from poolse._follow.async_loop import async_feed_loop

        return async_feed_loop(self, [key], **choices)


class AsyncPoolseBackend(AsyncClientBase[AsyncBackendCore], AsyncBackendResources):
    """The async client for your server, to create users and issue tokens, for one event loop.

    Example:
        >>> async with AsyncPoolseBackend(api_key=key) as backend:
        ...     user = await backend.users.create(external_id="ann", display_name="Ann")
        ...     token = (await backend.users.create_token(user.id)).token
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        api_url: str | None = None,
        http_client: AsyncHttpClient | None = None,
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
        """Create a client for your server. Never expose the API key to your users.

        Makes no request, and creates no thread, task or socket, before the first call.

        Args:
            api_key: API key of the tenant. Default: the `POOLSE_API_KEY` environment variable.
            api_url: Base URL of the API, without `/v1`. Default: the `POOLSE_API_URL` environment
                variable, else the hosted API.
            http_client: Your own httpx client. It is never changed or closed. With it, the total
                timeout and cancellation take effect only between the phases of a request.
            timeout: Seconds per attempt in total, or a `Timeout`. None for no timeout.
            proxy: URL of a proxy. Default: the `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY`
                environment variables, or the system's settings.
            ssl_context: TLS settings. Default: trust the certificates of the `SSL_CERT_FILE` and
                `SSL_CERT_DIR` environment variables, or the system's store.
            max_connections: Maximum number of HTTP connections.
            max_response_bytes: Responses larger than this raise `DecodeError` (file downloads
                excluded, see their `max_bytes`).
            headers: Extra headers of every request.
            user_agent: Prefix of the User-Agent header.
            max_retries: Retries after the first attempt, for network errors, 429 and 5xx.
            base_backoff: Seconds of the first backoff, which doubles with each retry. The actual
                wait is random, up to the backoff.
            max_backoff: Maximum backoff in seconds.
            max_retry_after: Maximum `Retry-After` in seconds. If the server asks for more, the
                error is raised immediately.
            generate_idempotency_key: Function that returns the idempotency key of a write. Default:
                a uuid4.
            hooks: `Hooks`, or a sequence of them, called on requests and retries.

        Raises:
            UsageError: No API key, or an invalid argument.
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
        self._compose(AsyncBackendCore(options, type(self).__name__), options.settings)

    def _compose(
        self, core: AsyncBackendCore, settings: Settings, *, is_view: bool = False
    ) -> None:
        calls = AsyncCalls(core.io, settings)
        AsyncBackendResources.__init__(self, self._attach(core, calls, is_view=is_view))

    def token_provider(self, external_id: str | UUID | User | Me) -> AsyncTokenProvider:
        """Return a `get_token` for one of your users, for your own route or a client in-process.

        Makes no request before it is called. Calling this method again is cheap: tokens are cached
        per user, for up to 10,000 users.

        Args:
            external_id: Your own ID for the user, a str or `uuid.UUID`, or an object with that ID.
                A user that does not exist yet is created.

        Raises:
            UsageError: The ID is empty or invalid.

        Example:
            >>> await backend.token_provider("u-1")()
        """
        from poolse._auth.async_token_provider import AsyncTokenProvider

        return AsyncTokenProvider(self._core.minter, external_id)
