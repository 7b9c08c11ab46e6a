# Printed from poolse/_follow/async_feed.py by "make generate". Do not edit.
"""Public feeds, async: what takes messages from a loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import GenericAlias, TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, cast

from poolse._follow.sync_iteration import iterate
from poolse.errors import ApiError
from poolse.options import CallOptions
from poolse.types import UNSET

if TYPE_CHECKING:
    from poolse._follow.loop import FeedLoop
    from poolse._follow.positions import Numbered, Position

__all__ = ["Delivery", "Feed"]

M = TypeVar("M", bound="Numbered")
C = TypeVar("C")


class Delivery(Generic[M, C]):
    """A message that a feed handed out.

    Attributes:
        message: The message.
        late: Whether messages that stand behind it were handed out before it.
    """

    if not TYPE_CHECKING:
        __class_getitem__ = classmethod(GenericAlias)
        """Takes one type too: only type checkers know the defaults of the others."""

    # All but the message is made when it is asked for: most have no use for it, a hundred
    # thousand times.
    __slots__ = ("_key", "_loop", "_replies", "late", "message")

    def __init__(self, key: str, message: M, loop: FeedLoop[M], late: bool = False) -> None:
        self.message: M = message
        self.late: bool = late
        self._key = key
        self._loop = loop
        self._replies = 0

    @property
    def conversation(self) -> C:
        """The handle of its conversation."""
        return cast(C, self._loop.source.handle(self._key))

    @property
    def position(self) -> Position:
        """How far the conversation was followed, once this message is acknowledged.

        Keep it in the transaction in which you keep what you made of the message, and nothing is
        handled twice: then follow with `after=position`, and without a checkpoint.
        """
        from poolse._follow.positions import Position

        return Position(self.message.sequence, self.message.id)

    def ack(self) -> None:
        """Acknowledge the message: after a restart it will not come again.

        Asking for the next one does the same. Calling it again does nothing.
        """
        self._loop.acknowledge(self.message)

    def _reply(self, arguments: Mapping[str, object]) -> M:
        """Send it. The generated class has the public method, with the arguments of `send`."""
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
    """Every message once and in order, over lost connections and restarts. One consumer.

    Asking for the next message acknowledges the one in hand, and so does leaving the `with` block,
    by `break` too, but not by an exception. Without a `with` block only the next step does, and
    the channels stay joined until `close` or until the client is closed.
    """

    if not TYPE_CHECKING:
        __class_getitem__ = classmethod(GenericAlias)

    _delivery: ClassVar[type[Delivery[Any, Any]]] = Delivery

    def __init__(self, loop: FeedLoop[M]) -> None:
        self._loop = loop

    def close(self) -> None:
        """End it and leave the channels. What is in hand is not acknowledged.

        A consumer that waits for the next message gets none.
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
