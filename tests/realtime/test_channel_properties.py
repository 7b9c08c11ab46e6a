"""Whatever happens to a channel, in whatever order."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Literal, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from poolse._realtime.channel import TRANSITIONS, ChannelProtocol, Effects
from poolse._realtime.effects import Deliver, Ended
from poolse._realtime.frames import Frame
from poolse._realtime.reconnect_policy import FinalAfter
from poolse._realtime.settings import RealtimeSettings
from poolse.errors import JoinError
from tests.realtime.virtual_socket import OK, fixed, refusal

SETTINGS = RealtimeSettings(url="ws://h/socket")
LASTING = SETTINGS.policy.lasting or FinalAfter(0, 0.0)
TOPIC = "t:1"


def event(name: str, join_ref: str | None = None) -> Frame:
    return Frame(join_ref, None, TOPIC, name, {})


# Whatever happens, in whatever order.

Happening = Literal[
    "join",
    "ok",
    "refused",
    "denied",
    "crash",
    "close",
    "leave",
    "lost",
    "event",
    "wait",
    "progress",
]


def happen(machine: ChannelProtocol, happening: Happening, now: float) -> float:
    """Let it happen; the time after it."""
    current = machine.join_ref
    match happening:
        case "join":
            machine.join(now)
        case "ok":
            machine.receive(Frame(current, current, TOPIC, "phx_reply", OK), now)
        case "refused" | "denied":
            payload = refusal("unauthorized" if happening == "denied" else "busy")
            machine.receive(Frame(current, current, TOPIC, "phx_reply", payload), now)
        case "crash" | "close":
            name = "phx_error" if happening == "crash" else "phx_close"
            machine.receive(Frame(current or "x", current, TOPIC, name, {}), now)
        case "leave":
            machine.leave(now)
        case "lost":
            machine.lost(now)
        case "progress":
            machine.join_answered(str(max(0, int(current or "1") - 1)), now)
        case "event":
            assert machine.receive(event("news"), now) == (machine.state == "joined")
        case "wait":
            now = now + 5 if machine.deadline is None else machine.deadline
            machine.tick(now)
    return now


def check(machine: ChannelProtocol, effects: Effects) -> None:
    """Whatever it delivered or ended was in order."""
    for channel, effect in effects:
        assert channel is machine
        match effect:
            case Deliver():
                assert machine.state == "joined"
            case Ended():
                assert machine.state == "ended"
            case _:
                pass
    effects.clear()


@given(st.lists(st.sampled_from(get_args(Happening)), max_size=60))
@settings(max_examples=300, deadline=None)
def test_never_stuck_and_never_heard_when_not_joined(happenings: list[Happening]) -> None:
    refs = iter(range(1, 10**6))
    effects: Effects = []
    joins: list[int] = []

    def send(frame: Frame) -> None:
        if frame.event == "phx_join":
            joins.append(int(frame.ref or ""))

    next_ref = partial(next, map(str, refs))
    machine = ChannelProtocol(TOPIC, SETTINGS, fixed(0.5), next_ref, send, effects)
    now = 0.0
    denied: list[float] = []
    was_joined = False
    for happening in happenings:
        if happening == "denied" and machine.state == "joining":
            denied.append(now)
        now = happen(machine, happening, now)
        if machine.state == "joined":
            was_joined, denied = True, []
        for _, effect in effects:
            if isinstance(effect, Ended) and isinstance(effect.error, JoinError):
                # Two refusals are enough for who was never in, and else only what lasts.
                assert len(denied) >= (LASTING.times if was_joined else 2)
                assert denied[-1] - denied[0] >= (LASTING.seconds if was_joined else 0)
        check(machine, effects)
        if machine.state == "ended":
            break
        # Whoever waits for something has a time at which it ends, or waits for its turn.
        if machine.state in ("joining", "leaving"):
            assert machine.deadline is not None
            assert machine.deadline - now <= 10
        assert (machine.join_ref is not None) == (machine.state in ("joining", "joined", "leaving"))
    assert all(a < b for a, b in pairwise(joins))


def test_every_state_but_the_last_can_be_left() -> None:
    for state, ways in TRANSITIONS.items():
        assert state == "ended" or set(ways.values()) - {state}, state
    reachable, frontier = {"closed"}, ["closed"]
    while frontier:
        for after in TRANSITIONS[frontier.pop()].values():  # type: ignore[index]
            if after not in reachable:
                reachable.add(after)
                frontier.append(after)
    assert reachable == set(TRANSITIONS)
