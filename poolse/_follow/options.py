"""What a caller of `follow` chooses, and what he is told beside the rows."""

from __future__ import annotations

from typing import Final, Literal

import attrs

from poolse._follow.positions import At, Newest, Position, Start
from poolse._support.argument_checks import checked_count
from poolse.errors import ArgumentTypeError, UsageError

__all__ = ["After", "Gap", "Last", "start_of"]


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
    """Id of the conversation."""
    first: int
    """The first number."""
    last: int
    """The last one."""
    skipped: bool = False
    """Whether there are messages that were not read, because of `max_backfill`."""


After = int | Position | Last | Literal["latest", "beginning"]
"""Where a feed starts: a sequence, a `Position`, `Last(n)`, "latest" or "beginning"."""

_AFTER: Final = 'after is a sequence, "latest", "beginning" or Last(n)'


def start_of(after: object, head: int) -> Start:
    """Where to start.

    Args:
        after: What the caller said.
        head: The highest number that has been handed out; only needed for "latest".
    """
    match after:
        case "latest" | Last(count=0):
            return At(Position(head))
        case "beginning":
            return At(Position(0))
        case Last():
            return Newest(after.count)
        case bool():
            raise ArgumentTypeError(f"{_AFTER}, not {after!r}")
        case Position():
            return At(after)
        case int() if after >= 0:
            return At(Position(after))
        case int() | str():
            raise UsageError(f"{_AFTER}, not {after!r}")
        case _:
            raise ArgumentTypeError(f"{_AFTER}, not {type(after).__name__}")
