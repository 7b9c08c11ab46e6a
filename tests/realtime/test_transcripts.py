"""What phoenix.js 1.8.16 did, step by step: frames, their times, and the states after each step.

The recordings were made with full delays, so randomness always says 1 here, and a connection
counts as good at once, and no close asks for more time than another.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from poolse._realtime.channel import ChannelMachine
from poolse._realtime.effects import Close, Open, Send
from poolse._realtime.frames import Frame, decode
from poolse._realtime.pushes import Push
from poolse._realtime.settings import RealtimeSettings
from poolse.errors import PushOutcomeUnknown, PushTimeout
from tests.realtime.virtual import Bench

RECORDED = Path(__file__).parents[1] / "conformance" / "socket-transcripts.json"
SCENARIOS: dict[str, Any] = {
    scenario["name"]: scenario for scenario in json.loads(RECORDED.read_text("utf-8"))["scenarios"]
}

NOT_OURS = {
    "url_params_nested": "the only parameters of our URL are the token and the version",
    "auth_token_subprotocol": "our token is in the URL",
    "push_before_join_raises_and_second_join_raises": "there is no handle that is not joined",
    "heartbeat_missed_reconnects": "does not wait for the close to be answered: test_connection",
    "duplicate_topic_closes_older": "one topic has one handle: see test_fleet",
    "event_delivered_while_joining": "waits for the reply to the join: see test_channel",
}

SETTINGS = RealtimeSettings(
    url="ws://h/socket", heartbeat_timeout=30.0, stable_after=0.0, pauses_after_close={}
)

# They call it closed before the first connect and while waiting for the next one.
SOCKET = {
    "connecting": {"connecting"},
    "open": {"open"},
    "closing": {"idle", "waiting"},
    "closed": {"idle", "waiting"},
}


class Player:
    """Plays one scenario, and translates its refs into ours."""

    def __init__(self) -> None:
        self.bench = Bench(SETTINGS, now=0.0, answers_heartbeats=False)
        self.topics: dict[str, str] = {}
        self.machines: dict[str, ChannelMachine] = {}
        self.refs: dict[str, str] = {}
        self.pushes: dict[str, Push] = {}

    def play(self, step: list[Any]) -> None:
        bench, link = self.bench, self.bench.link
        match step:
            case ["connect"]:
                link.connect(bench.now)
            case ["disconnect"]:
                link.disconnect(bench.now)
            case ["open"]:
                bench.open()
            case ["fail"]:
                bench.fail()
            case ["server_close", code]:
                bench.drop(code)
            case ["advance", milliseconds]:
                bench.advance(milliseconds / 1000)
            case ["channel", name, topic, *_]:
                self.topics[name] = topic
            case ["join", name]:
                self.machines[name] = link.join(self.topics[name], bench.now)
            case ["leave", name]:
                link.leave(self.machines[name], bench.now)
            case ["push", name, event, *rest]:
                payload: dict[str, object] = rest[0] if rest else {}
                timeout = rest[1] if len(rest) == 2 else 10_000
                deadline = bench.now + timeout / 1000
                self.pushes[event] = link.ask(
                    self.machines[name], event, payload, deadline, bench.now
                )
            case ["recv", [join_ref, ref, topic, event, payload]]:
                frame = Frame(self.refs.get(join_ref), self.refs.get(ref), topic, event, payload)
                bench.receive(frame)
            case _:
                raise AssertionError(step)
        bench.drain()

    def outputs(self, since: int) -> list[tuple[float, str, object]]:
        """What we did since, in the words of the recording."""
        found: list[tuple[float, str, object]] = []
        for when, command in self.bench.log[since:]:
            match command:
                case Open():
                    found.append((when, "ws_new", None))
                case Close():
                    found.append((when, "ws_close", None))
                case Send():
                    frame = decode(command.data)
                    parts = [frame.join_ref, frame.ref, frame.topic, frame.event, frame.payload]
                    found.append((when, "frame", parts))
        return found

    def translated(self, outputs: list[dict[str, Any]], ours: list[Any]) -> list[Any]:
        """What the recording did, with our refs. Each ref must stand for one of ours."""
        found: list[Any] = []
        for output in outputs:
            when, kind = output["t"] / 1000, output["out"]
            if kind in ("ws_new", "ws_close"):
                found.append((when, kind, None))
            elif kind == "frame":
                theirs = output["frame"]
                if len(found) < len(ours) and ours[len(found)][1] == "frame":
                    self.match_refs(theirs[:2], ours[len(found)][2][:2])
                refs = [ref and self.refs.get(ref) for ref in theirs[:2]]
                # The payload of a join is the caller's there, and always empty here.
                payload: object = {} if theirs[3] == "phx_join" else theirs[4]
                found.append((when, kind, [*refs, theirs[2], theirs[3], payload]))
        return found

    def match_refs(self, theirs: list[str | None], ours: list[str | None]) -> None:
        for their_ref, our_ref in zip(theirs, ours, strict=True):
            if their_ref is not None and our_ref is not None:
                self.refs.setdefault(their_ref, our_ref)


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name not in NOT_OURS])
def test_replay(name: str) -> None:
    player = Player()
    for step in SCENARIOS[name]["steps"]:
        start = len(player.bench.log)
        player.play(step["step"])
        ours = player.outputs(start)
        check_replies(player, step)
        assert rounded(ours) == rounded(player.translated(step["outputs"], ours)), step
        check_states(player, step)


def check_states(player: Player, step: dict[str, Any]) -> None:
    state = player.bench.link.connection.state
    assert state in SOCKET[step["socket"]], step
    for name, machine in player.machines.items():
        theirs = step["channels"][name]["state"]
        if not step["channels"][name]["registered"]:
            theirs = "ended"
        if theirs == "joining" and state != "open":
            theirs = "closed"  # we call it joining when the join is sent
        if machine.state == "closed" and theirs == "errored":
            continue  # lost before it ever had its turn to join
        if machine.state == "leaving" and theirs == "ended":
            continue  # they do not wait for the server to confirm
        assert machine.state == theirs, step


def check_replies(player: Player, step: dict[str, Any]) -> None:
    """A push has ended when theirs has; ours that were lost do not wait for their time-out."""
    for output in step["outputs"]:
        if output["out"] == "reply" and output["of"] in player.pushes:
            push = player.pushes[output["of"]]
            assert push.is_done, step
            if output["status"] == "ok":
                assert push.result() == output["response"], step
            else:
                with pytest.raises((PushTimeout, PushOutcomeUnknown)):
                    push.result()


def rounded(outputs: list[Any]) -> list[Any]:
    return [(round(when, 6), kind, what) for when, kind, what in outputs]


def test_every_scenario_is_accounted_for() -> None:
    assert set(NOT_OURS) < set(SCENARIOS)
    assert len(SCENARIOS) == 30
