"""`follow` of the clients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from poolse.types import UNSET, Unset

if TYPE_CHECKING:
    from uuid import UUID

    from poolse._follow.async_source import AsyncFollowClient
    from poolse._follow.checkpoints import AsyncCheckpoint, Checkpoint
    from poolse._follow.positions import After, Gap
    from poolse._follow.source import FollowClient
    from poolse._generated.async_resources import AsyncConversationHandle, AsyncFeed
    from poolse._generated.models import Conversation, Message
    from poolse._generated.resources import ConversationHandle, Feed
    from poolse.cancel import CancelToken

__all__ = ["AsyncFollowMethods", "FollowMethods"]


class FollowMethods:
    """Follows conversations."""

    def follow(
        self: FollowClient,
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
        from poolse._follow.source import feed_parts
        from poolse._generated.resources import Feed

        loop, handle = feed_parts(
            self,
            conversation_ids,
            after=after,
            checkpoint=checkpoint,
            skip_own=skip_own,
            on_gap=on_gap,
            max_backfill=max_backfill,
            cancel=cancel,
        )
        return Feed(loop, handle)

    def _followed(self: FollowClient, key: str, **choices: Any) -> tuple[object, object]:  # noqa: ANN401
        """What a feed of one conversation is made of."""
        from poolse._follow.source import feed_parts

        return feed_parts(self, [key], **choices)


class AsyncFollowMethods:
    """Follows conversations."""

    def follow(
        self: AsyncFollowClient,
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
            >>> async with chat.follow(checkpoint=SQLiteCheckpoint("bot.db")) as feed:
            ...     async for item in feed:
            ...         await item.reply(body="Hello")
        """
        from poolse._follow.async_source import async_feed_parts
        from poolse._generated.async_resources import AsyncFeed

        loop, handle = async_feed_parts(
            self,
            conversation_ids,
            after=after,
            checkpoint=checkpoint,
            skip_own=skip_own,
            on_gap=on_gap,
            max_backfill=max_backfill,
            cancel=cancel,
        )
        return AsyncFeed(loop, handle)

    def _followed(self: AsyncFollowClient, key: str, **choices: Any) -> tuple[object, object]:  # noqa: ANN401
        """What a feed of one conversation is made of."""
        from poolse._follow.async_source import async_feed_parts

        return async_feed_parts(self, [key], **choices)
