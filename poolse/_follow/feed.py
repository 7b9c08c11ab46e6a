# Printed from poolse/_follow/async_feed.py by "make generate". Do not edit.
"""Public classes of feeds, which read messages from a feed loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import GenericAlias, TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, cast

from poolse._follow.sync_iteration import iterate
from poolse._support.argument_checks import checked_wait
from poolse.errors import ApiError
from poolse.options import CallOptions
from poolse.types import UNSET

if TYPE_CHECKING:
    from poolse._follow.loop import FeedLoop
    from poolse._follow.positions import Numbered, Position
    from poolse.cancel import CancelToken

__all__ = ["Delivery", "Feed"]

M = TypeVar("M", bound="Numbered")
C = TypeVar("C")


class Delivery(Generic[M, C]):
    """A message that a feed delivered.

    Attributes:
        message: The message.
        late: Whether messages with higher sequence numbers were delivered before it.
    """

    if not TYPE_CHECKING:
        __class_getitem__ = classmethod(GenericAlias)
        """Takes one type too: only type checkers know the defaults of the others."""

    # Everything but the message is created on access: a program may read a hundred thousand
    # deliveries and use only the message.
    __slots__ = ("_key", "_loop", "_replies", "late", "message")

    def __init__(self, key: str, message: M, loop: FeedLoop[M], late: bool = False) -> None:
        self.message: M = message
        self.late: bool = late
        self._key = key
        self._loop = loop
        self._replies = 0

    @property
    def conversation(self) -> C:
        """Handle for the conversation of the message."""
        return cast(C, self._loop.source.handle(self._key))

    @property
    def position(self) -> Position:
        """Position of the feed in the conversation once this message is acknowledged.

        For exactly-once processing, save it in the same transaction as your results, and follow
        with `after=position` instead of a checkpoint.
        """
        from poolse._follow.positions import Position

        return Position(self.message.sequence, self.message.id)

    def ack(self) -> None:
        """Acknowledge the message, so that it is not delivered again after a restart.

        Requesting the next delivery does the same. Calling it again has no effect.
        """
        self._loop.acknowledge(self.message)

    def _reply(self, arguments: Mapping[str, object]) -> M:
        """Send a reply. The generated class has the public method, with the arguments of `send`."""
        loop = self._loop
        fields: dict[str, Any] = {"options": CallOptions(cancel=loop.options.cancel)}
        fields |= {name: value for name, value in arguments.items() if value is not UNSET}
        fields["id"] = fields.get("id") or loop.positions.reply_id(
            self._key, self.message, self._replies, late=self.late
        )
        conversation: Any = self.conversation
        try:
            reply: M = conversation.messages.send(**fields)
        except ApiError as error:
            loop.refused(self._key, self.message, error)
            raise
        self._replies += 1
        return reply

    def __repr__(self) -> str:
        late = " late" if self.late else ""
        return f"<{type(self).__name__} {self._key} {self.message.sequence}{late}>"


class Feed(Generic[M, C]):
    """Iterator of deliveries, each once and in order, across reconnects and restarts.

    Requesting the next delivery acknowledges the current one, as does leaving the `with` block
    normally or by `break`, but not by an exception. Without a `with` block, the channels stay
    joined until you call `close` or close the client. Use one consumer per feed.
    """

    if not TYPE_CHECKING:
        __class_getitem__ = classmethod(GenericAlias)

    _delivery: ClassVar[type[Delivery[Any, Any]]] = Delivery

    def __init__(self, loop: FeedLoop[M]) -> None:
        self._loop = loop

    def wait_started(
        self, timeout: float | None = 30.0, *, cancel: CancelToken | None = None
    ) -> None:
        """Wait until the feed has begun, and all its channels are joined.

        It begins with its `async with` block, or with the first step of an iteration. From then on
        no message is missed, and new ones arrive at once. New in 0.5.

        Args:
            timeout: Seconds; None for no timeout.
            cancel: Token that ends the wait from another thread or task.

        Raises:
            PushTimeout: The feed did not begin in time, or a channel was not joined.
            ChannelClosed: The feed or the client was closed.
            Cancelled: `cancel` was cancelled.
            PoolseError: The error that ended the feed.
        """
        self._loop.wait_started(checked_wait("timeout", timeout), cancel)

    def close(self) -> None:
        """End the feed and leave its channels. Safe in a signal handler.

        An iteration ends after its current message, which is acknowledged. If it waits for the next
        message, it ends now. Without an iteration, the current message is not acknowledged.
        """
        self._loop.close()

    def __enter__(self) -> Self:
        try:
            self._loop.open()
        except BaseException:
            self._loop.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._loop.acknowledge()
        finally:
            self._loop.close()

    def __iter__(self) -> Iterator[Delivery[M, C]]:
        return iterate(self._loop, self._delivery)

    def __next__(self) -> Delivery[M, C]:
        loop = self._loop
        message = loop.at_once()
        if message is not None:
            return self._delivery(loop.key, message, loop)
        item = loop.next()
        if item is None:
            raise StopIteration
        return self._delivery(item.key, item.message, loop, item.late)
