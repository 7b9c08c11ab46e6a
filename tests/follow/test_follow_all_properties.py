"""Whatever happens to conversations, the connection and the program: all is handed out, once.

What was in the first list begins after its last message, or where the checkpoint says; all other
conversations begin at their beginning. That is the whole model: it knows no time.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from poolse.errors import ChannelClosed
from tests.follow.simulated_backend import Service

KEYS = [f"c{number}" for number in range(8)]
keys = st.sampled_from(KEYS)


class FollowAllInAnyOrder(RuleBasedStateMachine):
    """A consumer of all conversations, with a checkpoint."""

    checkpoint: bool = True

    def __init__(self) -> None:
        super().__init__()
        self.service = Service()
        self.at: dict[str, int] = {}
        """The last message of each conversation that was handed out, or that is older."""
        self.in_hand: tuple[str, int] | None = None

    @initialize(old=st.dictionaries(keys, st.integers(0, 3)), hidden=st.sets(keys, max_size=2))
    def begin(self, old: dict[str, int], hidden: set[str]) -> None:
        for key, count in old.items():
            self.service.rows[key] = []
            self.service.post(key, count)
        self.service.hidden = hidden & old.keys()
        self.at = {key: 0 if key in self.service.hidden else count for key, count in old.items()}
        self.flow = self.service.flow(checkpoint=self.checkpoint)

    @rule(key=keys, announced=st.booleans())
    def create(self, key: str, announced: bool) -> None:
        if key in self.service.rows:
            return
        self.at[key] = 0
        if announced:
            self.service.create(key)
        else:
            self.service.rows[key] = []

    @rule(key=keys, count=st.integers(1, 3), heard=st.booleans())
    def post(self, key: str, count: int, heard: bool) -> None:
        if key in self.service.rows:
            self.service.post(key, count, heard=heard and key not in self.service.hidden)

    @rule()
    @precondition(lambda self: self.service.realtime)
    def drop(self) -> None:
        self.service.drop()

    @rule()
    @precondition(lambda self: not self.service.realtime)
    def reconnect(self) -> None:
        self.service.reconnect()

    @rule(key=keys)
    def remove(self, key: str) -> None:
        if key in self.service.rows and key not in self.service.hidden:
            self.service.hidden.add(key)
            if key in self.service.listeners:
                self.service.listeners.pop(key).ended(key, ChannelClosed("removed"))

    @rule(key=keys)
    def add(self, key: str) -> None:
        self.service.hidden.discard(key)

    @rule(broken=st.booleans(), heads=st.booleans())
    def change(self, broken: bool, heads: bool) -> None:
        self.service.broken, self.service.shows_heads = broken, heads

    @rule()
    @precondition(lambda self: self.checkpoint)
    def restart(self) -> None:
        self.flow.close()
        self.service.broken = False
        if self.in_hand is not None:
            # It was not acknowledged.
            key, number = self.in_hand
            self.at[key] = number - 1
            self.in_hand = None
        self.flow = self.service.flow()

    @rule(count=st.integers(1, 3))
    def take(self, count: int) -> None:
        for _ in range(count):
            self._take()

    def _take(self) -> bool:
        item = self.service.next(self.flow)
        if item is None:
            # The last one was acknowledged before the wait.
            self.in_hand = None
            return False
        assert item.message.sequence == self.at[item.key] + 1
        assert item.message.id == f"{item.key}{item.message.sequence}"
        self.at[item.key] = item.message.sequence
        self.in_hand = (item.key, item.message.sequence)
        return True

    @invariant()
    def nothing_is_reported_as_lost(self) -> None:
        assert all(len(self.service.rows[key]) >= number for key, number in self.at.items())

    def teardown(self) -> None:
        if not hasattr(self, "flow"):
            return
        self.service.broken = False
        self.service.hidden.clear()
        self.service.drop()
        self.service.reconnect()
        for _ in range(20):
            while self._take():
                pass
        assert self.at == {key: len(rows) for key, rows in self.service.rows.items()}


class FollowAllWithoutCheckpoint(FollowAllInAnyOrder):
    """The same in one life of the program."""

    checkpoint = False


TestFollowAll: Any = FollowAllInAnyOrder.TestCase
TestFollowAllWithoutCheckpoint: Any = FollowAllWithoutCheckpoint.TestCase
