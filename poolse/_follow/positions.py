"""What a feed is asked about, and what it says is to be done."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

import attrs

__all__ = [
    "At",
    "Begin",
    "Deliver",
    "Fetch",
    "Hole",
    "Newest",
    "Numbered",
    "Position",
    "Start",
    "Wait",
]


class Numbered(Protocol):
    """A row of a log: an id of its own, and a place in the order."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def sequence(self) -> int:
        """Its number. Unique in its log, and greater than those of all rows before."""
        ...


R = TypeVar("R", bound=Numbered)


@attrs.frozen
class Position:
    """How far a log was followed."""

    sequence: int
    """Everything up to this number is done with."""
    id: str | None = None
    """Id of the row with that number, if there is one. It tells whether the log is still the
    same."""


@attrs.frozen
class At:
    """Start after a position."""

    position: Position


@attrs.frozen
class Newest:
    """Start with the last so many rows of the list."""

    count: int = attrs.field(validator=attrs.validators.ge(1))


Start = At | Newest


@attrs.frozen
class Begin:
    """The start was found: from here on every row will come."""

    position: Position


# Not frozen, because that makes it twice as dear, and there is one for each row.
@attrs.define(eq=False)
class Deliver(Generic[R]):
    """Hand this row to the consumer."""

    key: str
    """The log that it is in."""
    row: R
    late: bool = False
    """It comes after rows that stand behind it: its number had been given up."""

    @property
    def position(self) -> Position:
        """Where the log is once the row is handled."""
        return Position(self.row.sequence, self.row.id)


@attrs.frozen
class Hole:
    """These numbers were passed over."""

    first: int
    last: int
    skipped: bool = False
    """Nobody asked for their rows, because too many had been missed; else the list has none."""


@attrs.frozen(eq=False)
class Fetch:
    """Ask the list for a page, newest first."""

    before: int | None
    """Only numbers below this; None for the newest."""
    limit: int


@attrs.frozen
class Wait:
    """Nothing to do until something happens, or until this time."""

    until: float | None = None
