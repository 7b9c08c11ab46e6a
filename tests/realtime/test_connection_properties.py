"""Whatever happens to a socket, in whatever order."""

from __future__ import annotations

from typing import Literal, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from poolse._realtime.channel import Effects
from poolse._realtime.effects import Close, Failed, Failure, Open, Send
from poolse._realtime.frames import Frame
from poolse._realtime.reconnect_policy import FinalAfter
from poolse._realtime.settings import RealtimeSettings
from poolse._realtime.socket import TRANSITIONS, Connection
from tests.realtime.virtual_socket import fixed

SETTINGS = RealtimeSettings(url="ws://h/socket")
CODES = (1000, 1001, 1002, 1005, 1006, 1008, 1009, 1011, 1012, 1013, 4000)


Happening = Literal[
    "connect",
    "disconnect",
    "opened",
    "failed",
    "busy",
    "refused",
    "final",
    "closed",
    "disliked",
    "stale",
    "wait",
    "join",
    "answer",
]
STATUSES = {"failed": None, "busy": 503, "refused": 403, "final": 404}
LASTING = SETTINGS.policy.lasting or FinalAfter(0, 0.0)


class Transports:
    """The transports that the commands ask for, as a careful body keeps them."""

    def __init__(self) -> None:
        self.alive: set[int] = set()
        self.has_failed = False

    def follow(self, connection: Connection, effects: Effects) -> None:
        for command in connection.commands:
            match command:
                case Open():
                    assert not self.alive, "two transports at a time"
                    self.alive.add(command.generation)
                case Close():
                    self.alive.discard(command.generation)
                case Send():
                    assert command.generation in self.alive
        self.has_failed = self.has_failed or any(isinstance(e, Failed) for _, e in effects)
        connection.commands.clear()
        effects.clear()


def snapshot(connection: Connection, effects: Effects) -> object:
    """All that could have changed."""
    return (connection.state, connection.deadline, list(connection.commands), list(effects))


class Refusals:
    """What the server said against us, as the rules for what is final see it."""

    def __init__(self) -> None:
        self.known = False
        self.handshakes: list[float] = []
        self.closes: list[float] = []

    def may_be_final(self) -> bool:
        """One answer is enough before the first success only, and then one that lasts."""
        lasts = [
            len(times) >= LASTING.times and times[-1] - times[0] >= LASTING.seconds
            for times in (self.handshakes, self.closes)
        ]
        return any(lasts) or (not self.known and bool(self.handshakes))


@given(st.lists(st.sampled_from(get_args(Happening)), max_size=60))
@settings(max_examples=300, deadline=None)
def test_never_two_transports_and_never_stuck(happenings: list[Happening]) -> None:
    effects: Effects = []
    connection = Connection(SETTINGS, fixed(0.5), effects)
    transports, refusals, now, wanted = Transports(), Refusals(), 0.0, False
    for happening in happenings:
        generation = connection.generation
        opening = connection.state == "connecting"
        before = snapshot(connection, effects)
        match happening:
            case "connect":
                if connection.state in ("idle", "failed"):
                    refusals.handshakes.clear()
                connection.connect(now)
                wanted = True
            case "disconnect":
                connection.disconnect()
                wanted = False
            case "opened":
                connection.opened(generation, now)
                if opening:
                    refusals.known = True
                    refusals.handshakes.clear()
            case "failed" | "busy" | "refused" | "final":
                status = STATUSES[happening]
                if opening:
                    transports.alive.discard(generation)
                    refusals.handshakes += [now] if status in (403, 404) else []
                failure = Failure(reason="x", status=status, retry_after=10.0**6)
                connection.failed(generation, failure, now)
            case "closed" | "disliked":
                if connection.state == "open":
                    transports.alive.discard(generation)
                    refusals.closes += [now] if happening == "disliked" else []
                connection.closed(generation, 1008 if happening == "disliked" else 1006, now)
            case "stale":
                connection.opened(generation - 1, now)
                connection.failed(generation - 1, Failure(reason="x", status=404), now)
                connection.closed(generation - 1, 1000, now)
                connection.received_part(generation - 1, now)
                assert before == snapshot(connection, effects)
            case "join":
                ref = connection.next_ref()
                connection.send(Frame(ref, ref, "t:1", "phx_join", {}))
            case "answer":
                any(connection.join_answered(str(n), now) for n in range(100))
            case "wait":
                now = now + 5 if connection.deadline is None else connection.deadline
                connection.tick(now)
        transports.follow(connection, effects)
        if transports.has_failed:
            assert refusals.may_be_final()
            transports.has_failed = False
        if wanted and connection.state != "failed":
            assert connection.state == "connecting" or connection.deadline is not None
        # Whatever the server asks for, and whatever it is busy with.
        if connection.deadline is not None:
            assert connection.deadline - now <= SETTINGS.max_retry_after + 31
        if not wanted:
            assert connection.state in ("idle", "failed")
            assert (connection.deadline, transports.alive) == (None, set())


def test_refusals_end_in_time() -> None:
    """Where nothing else happens than that the server refuses, for whatever reason."""
    for known in (False, True):
        connection, now = Connection(SETTINGS, fixed(0.5), []), 0.0
        connection.connect(now)
        if known:
            connection.opened(1, now)
            connection.closed(1, 1006, now)
        while connection.state != "failed":
            if connection.state == "connecting":
                status = 404 if known and connection.generation % 2 else 403
                connection.failed(connection.generation, Failure(reason="x", status=status), now)
            else:
                assert connection.deadline is not None
                now = connection.deadline
                connection.tick(now)
        assert now <= (LASTING.seconds + 31 if known else 10)


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
