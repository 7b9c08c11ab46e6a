"""What phoenix.js 1.8.16 did, step by step: frames, their times, and the states after each step.

All scenarios are played to the core with our differences switched off: see `official`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import pytest

from poolse._realtime.channel import ChannelProtocol, Push
from poolse._realtime.effects import Close, Deliver, Ended, Open, Send
from poolse._realtime.frames import Frame, decode
from poolse._realtime.handshake import address, socket_url
from poolse._realtime.settings import RealtimeSettings
from poolse.errors import PushTimeout
from tests.realtime.phoenix_js_policy import OFFICIAL
from tests.realtime.virtual_socket import Bench, fixed

RECORDED = Path(__file__).parents[1] / "conformance" / "socket-transcripts.json"
SCENARIOS: dict[str, Any] = {
    scenario["name"]: scenario for scenario in json.loads(RECORDED.read_text("utf-8"))["scenarios"]
}

# They call it closed before the first connect and while waiting for the next one.
SOCKET = {
    "connecting": {"connecting"},
    "open": {"open"},
    "closing": {"idle", "waiting"},
    "closed": {"idle", "waiting"},
}

Output = tuple[float, str, object]


class Player:
    """Plays one scenario, and translates its refs into ours."""

    def __init__(self, options: dict[str, Any], settings: RealtimeSettings) -> None:
        self.bench = Bench(settings, now=0.0, answers_heartbeats=False)
        self.options = options
        self.machines: dict[str, ChannelProtocol] = {}
        self.refs: dict[str, str] = {}
        self.pushes: dict[str, Push] = {}
        self._topics: dict[str, str] = {}

    def play(self, step: list[Any]) -> None:
        bench, socket = self.bench, self.bench.socket
        match step:
            case ["connect"]:
                socket.connect(bench.now)
            case ["disconnect"]:
                socket.disconnected(bench.now)
            case ["open"]:
                bench.open()
            case ["fail"]:
                bench.fail()
            case ["server_close", code]:
                bench.drop(code)
            case ["advance", milliseconds]:
                bench.advance(milliseconds / 1000)
            case ["channel", name, topic, *_]:
                self._topics[name] = topic
            case ["join", name]:
                self.machines[name] = socket.join(self._topics[name], bench.now)
            case ["leave", name]:
                socket.leave(self.machines[name], bench.now)
            case ["push", name, event, *rest]:
                self._push(self.machines[name], event, *rest)
            case ["recv", [join_ref, ref, topic, event, payload]]:
                frame = Frame(self.refs.get(join_ref), self.refs.get(ref), topic, event, payload)
                bench.receive(frame)
            case _:
                raise AssertionError(step)
        bench.advance(0)
        bench.drain()

    def _push(
        self, machine: ChannelProtocol, event: str, payload: Any = None, timeout: int = 10_000
    ) -> None:
        now = self.bench.now
        deadline = now + timeout / 1000
        self.pushes[event] = self.bench.socket.push(machine, event, payload or {}, deadline, now)

    def refuse(self, step: list[Any]) -> None:
        """A call for which theirs raises. There is no handle of ours that could make it; the
        machine below it stays as it is."""
        machine = self.machines.get(step[1])
        if machine is None:
            socket, topic = self.bench.socket, self._topics[step[1]]
            machine = ChannelProtocol(
                topic, self.bench.settings, fixed(), str, socket.connection.send, socket.effects
            )
        before = machine.state
        if step[0] == "push":
            assert not machine.send(step[2], {})
        else:
            machine.join(self.bench.now)
        assert self.bench.socket.effects == []
        assert machine.state == before

    def commands(self, since: int) -> list[Output]:
        """What we did since, in the words of the recording."""
        found: list[Output] = []
        for when, command in self.bench.log[since:]:
            match command:
                case Open():
                    found.append((when, "ws_new", self._address()))
                case Close():
                    found.append((when, "ws_close", None))
                case Send():
                    frame = decode(command.data)
                    parts = [frame.join_ref, frame.ref, frame.topic, frame.event, frame.payload]
                    found.append((when, "frame", parts))
        return found

    def _address(self) -> tuple[str, tuple[str, ...]]:
        settings, token = self.bench.settings, self.options.get("auth_token")
        params = self.options.get("params", {})
        return socket_url(settings.url, params), address(settings, token).subprotocols

    def told(self) -> list[tuple[str, str, object]]:
        """What came for those above since, by the names of the channels."""
        names = {id(machine): name for name, machine in self.machines.items()}
        found: list[tuple[str, str, object]] = []
        for channel, effect in self.bench.socket.news:
            if isinstance(effect, Deliver):
                payload = effect.frame.payload
                found.append((names[id(channel)], effect.frame.event, payload))
            elif isinstance(effect, Ended):
                found.append((names[id(channel)], "channel_close", None))
        self.bench.socket.news.clear()
        return found

    def translated(self, outputs: list[dict[str, Any]], ours: list[Any]) -> list[Output]:
        """What the recording did, with our refs. Each ref must stand for one of ours."""
        found: list[Output] = []
        for output in outputs:
            when, kind = output["t"] / 1000, output["out"]
            if kind == "ws_new":
                found.append((when, kind, (output["url"], tuple(output.get("protocols", ())))))
            elif kind == "ws_close":
                found.append((when, kind, None))
            elif kind == "frame":
                theirs = output["frame"]
                if len(found) < len(ours) and ours[len(found)][1] == "frame":
                    self._match_refs(theirs[:2], ours[len(found)][2][:2])
                refs = [ref and self.refs.get(ref) for ref in theirs[:2]]
                # The payload of a join is the caller's there, and always empty here.
                payload: object = {} if theirs[3] == "phx_join" else theirs[4]
                found.append((when, kind, [*refs, theirs[2], theirs[3], payload]))
        return found

    def _match_refs(self, theirs: list[str | None], ours: list[str | None]) -> None:
        for their_ref, our_ref in zip(theirs, ours, strict=True):
            if their_ref is not None and our_ref is not None:
                self.refs.setdefault(their_ref, our_ref)


def replay(name: str, settings: RealtimeSettings) -> None:
    player = Player(SCENARIOS[name]["options"], settings)
    for step in SCENARIOS[name]["steps"]:
        if "raises" in step:
            player.refuse(step["step"])
            continue
        start = len(player.bench.log)
        player.play(step["step"])
        ours = player.commands(start)
        check_pushes(player, step)
        assert rounded(ours) == rounded(player.translated(step["outputs"], ours)), step
        check_told(player, step)
        check_states(player, step)


def check_states(player: Player, step: dict[str, Any]) -> None:
    state = player.bench.socket.connection.state
    assert state in SOCKET[step["socket"]], step
    for name, machine in player.machines.items():
        theirs = step["channels"][name]["state"]
        if not step["channels"][name]["registered"]:
            theirs = "ended"
        if theirs == "joining" and state != "open":
            theirs = "closed"  # we call it joining when the join is sent
        if machine.state == "closed" and theirs == "errored":
            continue  # lost before it ever had its turn to join
        assert machine.state == theirs, step


def check_told(player: Player, step: dict[str, Any]) -> None:
    """Events of channels, and their ends, in order."""
    theirs: list[tuple[str, str, object]] = []
    for output in step["outputs"]:
        if output["out"] == "event":
            theirs.append((output["ch"], output["event"], output["payload"]))
        elif output["out"] == "channel_close":
            theirs.append((output["ch"], "channel_close", None))
    assert player.told() == theirs, step


def check_pushes(player: Player, step: dict[str, Any]) -> None:
    """A push ends in the step in which theirs does, and as theirs."""
    for output in step["outputs"]:
        push = player.pushes.pop(str(output.get("of")), None)
        if output["out"] != "reply" or push is None:
            continue
        assert push.is_done, step
        if output["status"] == "ok":
            assert push.result() == output["response"], step
        else:
            with pytest.raises(PushTimeout):
                push.result()
    assert not any(push.is_done for push in player.pushes.values()), step


@pytest.mark.parametrize("name", SCENARIOS)
def test_replay(name: str) -> None:
    replay(name, OFFICIAL)


OURS = RealtimeSettings(url=OFFICIAL.url)
TOLD_APART = {
    "heartbeat_timeout": ["heartbeat_missed_reconnects"],
    "stable_after": ["reconnect_backoff"],
    "leave_timeout": ["leave_joined", "leave_reply_and_close"],
    "reconnect_delays": ["reconnect_backoff", "server_close_1006"],
    "pauses": ["heartbeat_missed_reconnects", "server_close_1001"],
    "pause": ["server_close_1000", "server_close_1011", "server_close_1012"],
    "delivers_in": ["event_delivered_while_joining"],
    "lost_pushes_fail": ["sent_push_pending_when_connection_drops"],
    "token_in_url": ["auth_token_subprotocol"],
}
"""Differences, and the scenarios that show them."""


@pytest.mark.parametrize(
    ("field", "name"), [(field, name) for field, names in TOLD_APART.items() for name in names]
)
def test_our_own_way_is_another(field: str, name: str) -> None:
    if hasattr(OURS, field):
        settings = attrs.evolve(OFFICIAL, **{field: getattr(OURS, field)})
    else:
        policy = attrs.evolve(OFFICIAL.policy, **{field: getattr(OURS.policy, field)})
        settings = attrs.evolve(OFFICIAL, policy=policy)
    with pytest.raises(AssertionError):
        replay(name, settings)


def rounded(outputs: list[Output]) -> list[Any]:
    return [(round(when, 6), kind, what) for when, kind, what in outputs]


def test_all_scenarios_are_there() -> None:
    assert len(SCENARIOS) == 30


def test_each_difference_of_ours_is_switched_off() -> None:
    """So that one that is added later is not forgotten in `official`."""
    theirs = attrs.asdict(OFFICIAL.policy, recurse=False)
    ours = attrs.asdict(OURS.policy, recurse=False)
    assert [name for name in ours if ours[name] == theirs[name]] == []
