"""Positions in a conversation: where a feed starts, where it is, and what it skipped."""

from __future__ import annotations

from typing import Final, Literal, Protocol

import attrs

from poolse._support.argument_checks import checked_count
from poolse.errors import ArgumentTypeError, UsageError

__all__ = ["After", "Gap", "Last", "Numbered", "Position", "Start", "start_of"]


class Numbered(Protocol):
    """A message, with an ID and a sequence number."""

    @property
    def id(self) -> str:
        """ID of the message."""
        ...

    @property
    def sequence(self) -> int:
        """Sequence number: unique in the conversation, and increasing."""
        ...


@attrs.frozen
class Position:
    """Position of a feed in a conversation."""

    sequence: int
    """Sequence number up to which all messages are acknowledged."""
    id: str | None = None
    """ID of the message with this sequence number, if there is one. It reveals whether the numbers
    of the conversation restarted."""


@attrs.frozen
class Last:
    """Start of a feed: the last messages, as in `follow(after=Last(20))`.

    Raises:
        UsageError: The number is negative.
        ArgumentTypeError: The number is not an int.
    """

    count: int
    """Number of messages."""

    def __attrs_post_init__(self) -> None:
        checked_count("the count of Last", self.count)


@attrs.frozen
class Gap:
    """Sequence numbers that a feed skipped, because the list has no messages for them.

    Most belong to replies in threads that were sent while the feed was offline. Fetch them with
    `chat.messages.one(id).replies()`.

    If `skipped` is true, more messages were missed than `max_backfill` allows, and the list was not
    read. Fetch them with `chat.conversations.one(id).messages.iter(before=gap.last + 1)`, newest
    first.
    """

    conversation: str
    """ID of the conversation."""
    first: int
    """First sequence number."""
    last: int
    """Last sequence number."""
    skipped: bool = False
    """Whether messages were skipped because of `max_backfill`."""


After = int | Position | Last | Literal["latest", "beginning"]
"""Start of a feed: a sequence number, a `Position`, `Last(n)`, "latest" or "beginning"."""

Start = Position | Last
"""Start of a feed once the newest number is known: after a position, or with the last messages, at
least one."""

_AFTER: Final = 'after must be a sequence, "latest", "beginning" or Last(n)'


def start_of(after: object, head: int) -> Start:
    """Return where to start.

    Args:
        after: The argument of `follow`.
        head: The highest number of the conversation; only used for "latest".
    """
    match after:
        case "latest" | Last(count=0):
            return Position(head)
        case "beginning":
            return Position(0)
        case Last() | Position():
            return after
        case bool():
            raise ArgumentTypeError(f"{_AFTER}, not {after!r}")
        case int() if after >= 0:
            return Position(after)
        case int() | str():
            raise UsageError(f"{_AFTER}, not {after!r}")
        case _:
            raise ArgumentTypeError(f"{_AFTER}, not {type(after).__name__}")
