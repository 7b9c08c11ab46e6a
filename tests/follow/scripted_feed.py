"""A feed on a virtual clock, told what happens line by line."""

from __future__ import annotations

from poolse._follow.feed_protocol import FeedProtocol
from poolse._follow.options import FeedSettings
from poolse._follow.positions import Gap, Position, Start
from poolse._follow.steps import Began, Fetch, Item, Wait
from tests.follow.random_schedules import Row

__all__ = ["World", "rows"]


def rows(*numbers: int, log: str = "m") -> list[Row]:
    return [Row(f"{log}{number}", number) for number in numbers]


BEGINNING = Position(0)


class World:
    """A feed that was let in, and the clock."""

    def __init__(self, start: Start = BEGINNING, **settings: int) -> None:
        chosen = FeedSettings(**{"limit": 10, **settings})
        self.feed: FeedProtocol[Row] = FeedProtocol(start, chosen, lambda: 0.5, gaps=True)
        self.feed.joined()
        self.now = 1000.0
        self.begin: Position | None = None
        self.given: list[int | Gap] = []
        self.late: list[int] = []
        self.rows: list[Row] = []
        self.asked: Fetch | None = None

    def run(self) -> Fetch | Wait:
        """Take what there is to take."""
        while True:
            match action := self.feed.step(self.now):
                case Began():
                    self.begin = action.position
                case Gap():
                    self.given.append(action)
                case Item():
                    (self.late if action.late else self.given).append(action.message.sequence)
                    self.rows.append(action.message)
                case Fetch():
                    self.asked = action
                    return action
                case Wait():
                    return action

    def fetch(self) -> Fetch:
        """The request that it makes now, or made when it was run last."""
        action, self.asked = self.asked or self.run(), None
        assert isinstance(action, Fetch), action
        return action

    def wait(self) -> float:
        """Until when it waits; the clock goes there."""
        action = self.run()
        assert isinstance(action, Wait), action
        assert action.until is not None
        self.now = action.until
        return action.until

    def answer(self, *numbers: int, log: str = "m") -> None:
        """Let it ask, and answer."""
        self.feed.page(self.fetch(), rows(*numbers, log=log), self.now)
        self.run()

    def live(self, *numbers: int) -> None:
        for row in rows(*numbers):
            self.feed.live(row, self.now)
