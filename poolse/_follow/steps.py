"""The steps of a feed: what the core asks the loop to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

import attrs

from poolse._follow.positions import Gap, Numbered, Position, Start
from poolse.errors import PoolseError

__all__ = ["Began", "Ended", "Fetch", "Item", "ReadList", "Restarted", "Step", "Wait"]

M = TypeVar("M", bound=Numbered)


# Not frozen: there is one for each message, and freezing makes it twice as expensive.
@attrs.define(eq=False)
class Item(Generic[M]):
    """Hand this message to the consumer."""

    key: str
    """The conversation."""
    message: M
    late: bool = False
    """It comes after messages that stand behind it: its number had been given up."""


@attrs.frozen
class Began:
    """The start of a conversation is known: from here on every message will come."""

    key: str
    position: Position


@attrs.frozen(eq=False)
class Fetch:
    """Fetch a page of a conversation, newest first."""

    key: str
    before: int | None
    """Only numbers below this; None for the newest."""
    limit: int


@attrs.frozen(eq=False)
class ReadList:
    """Read the list of all conversations, which shows the highest number of each."""

    joins: Mapping[str, int]
    """The number of the last join of each that is followed, when the list was requested."""


@attrs.frozen
class Ended:
    """A conversation is not followed any more."""

    key: str
    error: PoolseError
    start: Start
    """Where to follow it again."""


@attrs.frozen
class Restarted:
    """The numbers of a conversation began again, and it is followed from its first message."""

    key: str
    error: PoolseError


@attrs.frozen
class Wait:
    """Nothing to do until something happens, or until this time."""

    until: float | None = None


Step = Item[M] | Gap | Began | Fetch | ReadList | Ended | Restarted | Wait
"""A `Gap` is to be reported."""
