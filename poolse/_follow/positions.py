"""Positions in a conversation: where a feed starts, where it stands, and what it passed over."""

from __future__ import annotations

from typing import Final, Literal, Protocol

import attrs

from poolse._support.argument_checks import checked_count
from poolse.errors import ArgumentTypeError, UsageError

__all__ = ["After", "Gap", "Last", "Numbered", "Position", "Start", "start_of"]


class Numbered(Protocol):
    """A message: an ID of its own, and a place in the order of its conversation."""

    @property
    def id(self) -> str:
        """Its ID."""
        ...

    @property
    def sequence(self) -> int:
        """Its number: unique in its conversation, and greater than those of all before it."""
        ...


@attrs.frozen
class Position:
    """How far a conversation was followed."""

    sequence: int
    """Everything up to this number is acknowledged."""
    id: str | None = None
    """ID of the message with that number, if there is one. It shows whether the numbers of the
    conversation began again."""


@attrs.frozen
class Last:
    """Start with the last so many messages: `follow(after=Last(20))`.

    Raises:
        UsageError: The number is negative.
        ArgumentTypeError: It is no whole number.
    """

    count: int

    def __attrs_post_init__(self) -> None:
        checked_count("the number of Last", self.count)


@attrs.frozen
class Gap:
    """Numbers that were passed over, because the list has no messages for them.

    Most are replies in threads that came while nobody listened. They are read with
    `chat.messages.one(id).replies()`.

    With `skipped` nobody looked: more had been missed than `max_backfill` allows. The messages
    are read with `chat.conversations.one(id).messages.iter(before=gap.last + 1)`, newest first.
    """

    conversation: str
    """ID of the conversation."""
    first: int
    """The first number."""
    last: int
    """The last one."""
    skipped: bool = False
    """Whether there are messages that were not read, because of `max_backfill`."""


After = int | Position | Last | Literal["latest", "beginning"]
"""Where a feed starts: a sequence, a `Position`, `Last(n)`, "latest" or "beginning"."""

Start = Position | Last
"""The same, once the newest number is known: after a position, or with the last messages, which
are then at least one."""

_AFTER: Final = 'after is a sequence, "latest", "beginning" or Last(n)'


def start_of(after: object, head: int) -> Start:
    """Return where to start.

    Args:
        after: The argument of `follow`.
        head: The highest number of the conversation; only needed for "latest".
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
