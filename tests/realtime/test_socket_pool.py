"""Channels on sockets: who rides where, who joins when."""

from __future__ import annotations

import pytest

from poolse._realtime.channel_effects import Ended
from poolse._realtime.frames import Frame, FrameError
from poolse._realtime.settings import RealtimeSettings
from poolse._realtime.socket import Socket
from poolse._realtime.socket_pool import SocketPool
from poolse.errors import RealtimeError
from tests.realtime.virtual_socket import Bench, fixed, reply


def events_of(frames: list[Frame]) -> list[str]:
    return [frame.event for frame in frames]


def added(fleet: SocketPool) -> Socket:
    link = fleet.new()
    fleet.add(link)
    return link


def test_all_channels_join_again_at_once_each_with_a_new_ref() -> None:
    bench = Bench()
    bench.connect()
    before = {topic: bench.joined(topic).ref for topic in ("t:1", "t:2", "t:3")}
    bench.drop()
    assert bench.sent() == []
    bench.advance(2)
    bench.open()
    joins = {frame.topic: frame.ref for frame in bench.sent()}
    assert joins.keys() == before.keys()
    refs = [int(ref or 0) for ref in (*before.values(), *joins.values())]
    assert refs == sorted(set(refs)), "refs go on counting"


def test_one_slow_join_delays_no_other() -> None:
    bench = Bench()
    bench.connect()
    machines = [bench.link.join(topic, bench.now) for topic in ("t:1", "t:2")]
    slow, quick = bench.sent()
    bench.receive(reply(quick))
    assert [machine.state for machine in machines] == ["joining", "joined"]
    assert slow.topic == "t:1"


def test_a_crashed_channel_concerns_no_other() -> None:
    bench = Bench()
    bench.connect()
    machines = [bench.link.join(topic, bench.now) for topic in ("t:1", "t:2")]
    crashing, other = bench.sent()
    for frame in (crashing, other):
        bench.receive(reply(frame))
    bench.receive(Frame(crashing.ref, crashing.ref, "t:1", "phx_error", {}))
    bench.receive(Frame(None, None, "t:2", "news", {}))
    assert [machine.state for machine in machines] == ["errored", "joined"]
    assert bench.events() == ["news"]
    bench.advance(1)
    assert [frame.topic for frame in bench.sent()] == ["t:1"]


def test_a_newer_channel_of_a_topic_takes_the_place_of_an_older_one() -> None:
    bench = Bench()
    bench.connect()
    older = bench.link.join("t:1", bench.now)
    bench.receive(reply(bench.sent()[0]))
    newer = bench.link.join("t:1", bench.now)
    left, joined = bench.sent()
    assert (left.event, joined.event) == ("phx_leave", "phx_join")
    assert left.join_ref != joined.join_ref
    assert [effect.channel for effect in bench.effects(Ended)] == [older]
    bench.receive(reply(joined))
    bench.receive(reply(left))
    assert newer.state == "joined"


def test_joins_are_paced() -> None:
    bench = Bench(RealtimeSettings(url="ws://h", joins_at_once=20))
    bench.connect()
    for number in range(50):
        bench.link.join(f"t:{number}", bench.now)
    first = bench.sent()
    assert len(first) == 20
    for frame in first[:5]:
        bench.receive(reply(frame))
    second = bench.sent()
    assert [frame.topic for frame in second] == [f"t:{n}" for n in range(20, 25)]
    for frame in (*first[5:], *second):
        bench.receive(reply(frame))
    bench.receive(reply(bench.sent()[0]))
    bench.advance(20)
    assert len({f.topic for f in bench.sent()} | {f.topic for f in (*first, *second)}) >= 45


def test_a_channel_waits_for_the_socket() -> None:
    bench = Bench()
    bench.link.join("t:1", bench.now)
    bench.link.connect(bench.now)
    assert bench.sent() == []
    bench.open()
    assert events_of(bench.sent()) == ["phx_join"]


def test_what_was_left_offline_is_never_sent() -> None:
    bench = Bench()
    bench.connect()
    machine = bench.link.join("t:1", bench.now)
    bench.receive(reply(bench.sent()[-1]))
    bench.drop()
    bench.link.leave(machine, bench.now)
    assert [effect.channel for effect in bench.effects(Ended)] == [machine]
    bench.advance(1)
    bench.open()
    bench.advance(60)
    assert bench.sent() == []


def test_a_topic_is_joined_again_while_it_is_being_left() -> None:
    bench = Bench()
    bench.connect()
    old = bench.link.join("t:1", bench.now)
    join = bench.sent()[-1]
    bench.receive(reply(join))
    bench.link.leave(old, bench.now)
    new = bench.link.join("t:1", bench.now)
    leave, again = bench.sent()
    assert events_of([leave, again]) == ["phx_leave", "phx_join"]
    assert [effect.channel for effect in bench.effects(Ended)] == [old]
    # In the server's order; what belongs to the old join does not concern the new one.
    bench.receive(reply(leave))
    bench.receive(Frame(join.ref, join.ref, "t:1", "phx_close", {}))
    bench.receive(reply(again))
    bench.receive(Frame(again.ref, None, "t:1", "news", {}))
    assert new.state == "joined"
    assert bench.events() == ["news"]


def test_frames_of_unknown_topics_are_nobodys() -> None:
    bench = Bench()
    bench.connect()
    bench.link.effects.clear()
    bench.receive(Frame(None, None, "t:unknown", "news", {}))
    assert bench.link.effects == []


def test_only_channels_with_a_deadline_cost_time() -> None:
    bench = Bench()
    bench.connect()
    bench.joined()
    assert bench.link.next_deadline() == bench.now + 30
    bench.link.join("t:2", bench.now)
    assert bench.link.next_deadline() == bench.now + 10


def test_the_backlog_of_pushes_is_bounded() -> None:
    bench = Bench(RealtimeSettings(url="ws://h", queue_limit=10))
    bench.connect()
    machine = bench.link.join("t:1", bench.now)
    bench.receive(reply(bench.sent()[-1]))
    for _ in range(10):
        assert bench.link.push(machine, "typing", {}, bench.now)
    with pytest.raises(RealtimeError, match="10 frames wait"):
        bench.link.push(machine, "typing", {}, bench.now)
    with pytest.raises(RealtimeError, match="10 frames wait"):
        bench.link.ask(machine, "ask", {}, bench.now + 1, bench.now)
    assert len(bench.sent()) == 10


def test_a_payload_that_json_cannot_say_is_the_callers_mistake() -> None:
    bench = Bench()
    bench.connect()
    machine = bench.link.join("t:1", bench.now)
    bench.receive(reply(bench.sent()[-1]))
    with pytest.raises(FrameError):
        bench.link.push(machine, "typing", {"x": float("nan")}, bench.now)
    assert bench.link.push(machine, "typing", {"x": 1}, bench.now)


def test_sockets_are_added_as_channels_need_them() -> None:
    fleet = SocketPool(RealtimeSettings(url="ws://h", channels_per_socket=2), fixed())
    for number in range(5):
        (fleet.with_room() or added(fleet)).join(f"t:{number}", 0.0)
    assert len(fleet.links) == 3
    leaving = fleet.links[0].join("t:x", 0.0)
    assert fleet.with_room() is fleet.links[2]
    fleet.links[0].leave(leaving, 0.0)
    assert fleet.with_room() is fleet.links[2]


def test_the_status_is_that_of_the_worst_socket() -> None:
    fleet = SocketPool(RealtimeSettings(url="ws://h"), fixed())
    assert fleet.status == "idle"
    good, bad = added(fleet), added(fleet)
    for link in (good, bad):
        link.connect(0.0)
    good.opened(1, 0.0)
    assert fleet.status == "connecting"
    bad.opened(1, 0.0)
    assert fleet.status == "connected"
    bad.closed(1, 1006, 1.0)
    assert fleet.status == "reconnecting"
    bad.disconnect(1.0)
    assert fleet.status == "closed"
