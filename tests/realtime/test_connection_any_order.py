"""Whatever happens to a socket, in whatever order."""

from __future__ import annotations

from typing import Literal, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from poolse._realtime.connection import TRANSITIONS, Connection
from poolse._realtime.effects import Close, Down, Failed, Failure, Open, Send, Trouble, Up
from poolse._realtime.settings import RealtimeSettings
from tests.realtime.virtual import fixed

SETTINGS = RealtimeSettings(url="ws://h/socket")
CODES = (1000, 1001, 1002, 1005, 1006, 1008, 1009, 1011, 1012, 1013, 4000)


Happening = Literal[
    "connect", "disconnect", "opened", "failed", "refused", "final", "closed", "stale", "wait"
]


class Transports:
    """The transports that the commands ask for, as a careful body keeps them."""

    def __init__(self) -> None:
        self.alive: set[int] = set()

    def follow(self, connection: Connection) -> None:
        for effect in connection.effects:
            match effect:
                case Open():
                    assert not self.alive, "two transports at a time"
                    self.alive.add(effect.generation)
                case Close():
                    self.alive.discard(effect.generation)
                case Send():
                    assert effect.generation in self.alive
                case Up() | Down() | Failed() | Trouble():
                    pass
        connection.effects.clear()


@given(st.lists(st.sampled_from(get_args(Happening)), max_size=60))
@settings(max_examples=300, deadline=None)
def test_never_two_transports_and_never_stuck(happenings: list[Happening]) -> None:
    connection = Connection(SETTINGS, fixed(0.5))
    transports, now, wanted = Transports(), 0.0, False
    for happening in happenings:
        generation = connection.generation
        match happening:
            case "connect":
                connection.connect()
                wanted = True
            case "disconnect":
                connection.disconnect()
                wanted = False
            case "opened":
                connection.opened(generation, now)
            case "failed" | "refused" | "final":
                if connection.state == "connecting":
                    transports.alive.discard(generation)
                status = {"failed": None, "refused": 403, "final": 404}[happening]
                connection.failed(generation, Failure(reason="x", status=status), now)
            case "closed":
                if connection.state == "open":
                    transports.alive.discard(generation)
                connection.closed(generation, 1006, now)
            case "stale":
                before = (connection.state, connection.deadline, list(connection.effects))
                connection.opened(generation - 1, now)
                connection.failed(generation - 1, Failure(reason="x", status=404), now)
                connection.closed(generation - 1, 1000, now)
                connection.received(generation - 1, b'[null,null,"t","e",{}]', now)
                after = (connection.state, connection.deadline, list(connection.effects))
                assert before == after
            case "wait":
                now = now + 5 if connection.deadline is None else connection.deadline
                connection.tick(now)
        transports.follow(connection)
        if wanted and connection.state != "failed":
            assert connection.state == "connecting" or connection.deadline is not None
        if not wanted:
            assert connection.state in ("idle", "failed")
            assert connection.deadline is None
            assert not transports.alive


def test_every_state_can_be_left() -> None:
    for state, ways in TRANSITIONS.items():
        assert set(ways.values()) - {state}, state
    reachable, frontier = {"idle"}, ["idle"]
    while frontier:
        for after in TRANSITIONS[frontier.pop()].values():  # type: ignore[index]
            if after not in reachable:
                reachable.add(after)
                frontier.append(after)
    assert reachable == set(TRANSITIONS)
