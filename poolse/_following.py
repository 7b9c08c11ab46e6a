"""`follow` of the clients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from poolse.types import UNSET, Unset

if TYPE_CHECKING:
    from poolse._chats import AsyncChat, Chat
    from poolse._follow.checkpoints import AsyncCheckpoint, Checkpoint
    from poolse._follow.choices import After, Gap
    from poolse._generated.aio_follow import AsyncFeed
    from poolse._generated.aio_resources import AsyncConversationHandle
    from poolse._generated.follow import Feed
    from poolse._generated.models import Message
    from poolse._generated.resources import ConversationHandle
    from poolse.cancel import CancelToken

__all__ = ["AsyncFollowing", "Following"]


class Following:
    """Follows conversations."""

    def follow(
        self: Chat,
        conversation_ids: Sequence[str] | None = None,
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
            FeedReset: By the iterator: the log began anew, so that the position means nothing.
            ApiError: When it begins, and by the iterator: what does not pass by itself.
            Cancelled: By the iterator: `cancel` was cancelled.

        Example:
            >>> with chat.follow(checkpoint=SQLiteCheckpoint("bot.db")) as feed:
            ...     for item in feed:
            ...         item.reply(body="Hello")
        """
        from poolse._chats import Chats, wish_for
        from poolse._generated.follow import Feed

        wish = wish_for(
            conversation_ids,
            after,
            checkpoint,
            on_gap,
            cancel,
            max_backfill=max_backfill,
            skip_own=skip_own,
            asynchronous=False,
        )
        return Feed(Chats(self), wish)

    def _followed(self: Chat, key: str, **choices: Any) -> tuple[object, object]:  # noqa: ANN401
        """What a feed of one conversation is made of."""
        from poolse._chats import Chats, wish_for

        return Chats(self), wish_for([key], **choices, asynchronous=False)


class AsyncFollowing:
    """Follows conversations."""

    def follow(
        self: AsyncChat,
        conversation_ids: Sequence[str] | None = None,
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
            FeedReset: By the iterator: the log began anew, so that the position means nothing.
            ApiError: When it begins, and by the iterator: what does not pass by itself.
            Cancelled: By the iterator: `cancel` was cancelled.

        Example:
            >>> async with chat.follow(checkpoint=SQLiteCheckpoint("bot.db")) as feed:
            ...     async for item in feed:
            ...         await item.reply(body="Hello")
        """
        from poolse._chats import AsyncChats, wish_for
        from poolse._generated.aio_follow import AsyncFeed

        wish = wish_for(
            conversation_ids,
            after,
            checkpoint,
            on_gap,
            cancel,
            max_backfill=max_backfill,
            skip_own=skip_own,
            asynchronous=True,
        )
        return AsyncFeed(AsyncChats(self), wish)

    def _followed(self: AsyncChat, key: str, **choices: Any) -> tuple[object, object]:  # noqa: ANN401
        """What a feed of one conversation is made of."""
        from poolse._chats import AsyncChats, wish_for

        return AsyncChats(self), wish_for([key], **choices, asynchronous=True)
