"""Channels on sockets: who rides where, who joins when."""

from __future__ import annotations

import pytest

from poolse._realtime.frames import Frame, FrameError
from poolse._realtime.settings import RealtimeSettings
from poolse.errors import RealtimeError
from tests.realtime.virtual_client import World
from tests.realtime.virtual_socket import Bench, reply


def events_of(frames: list[Frame]) -> list[str]:
    return [frame.event for frame in frames]


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
    machines = [bench.socket.join(topic, bench.now) for topic in ("t:1", "t:2")]
    slow, quick = bench.sent()
    bench.receive(reply(quick))
    assert [machine.state for machine in machines] == ["joining", "joined"]
    assert slow.topic == "t:1"


def test_a_crashed_channel_concerns_no_other() -> None:
    bench = Bench()
    bench.connect()
    machines = [bench.socket.join(topic, bench.now) for topic in ("t:1", "t:2")]
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
    older = bench.socket.join("t:1", bench.now)
    bench.receive(reply(bench.sent()[0]))
    newer = bench.socket.join("t:1", bench.now)
    left, joined = bench.sent()
    assert (left.event, joined.event) == ("phx_leave", "phx_join")
    assert left.join_ref != joined.join_ref
    assert bench.ended() == [older]
    bench.receive(reply(joined))
    bench.receive(reply(left))
    assert newer.state == "joined"


def test_joins_are_paced() -> None:
    bench = Bench(RealtimeSettings(url="ws://h", joins_at_once=20))
    bench.connect()
    for number in range(50):
        bench.socket.join(f"t:{number}", bench.now)
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
    bench.socket.join("t:1", bench.now)
    bench.socket.connect(bench.now)
    assert bench.sent() == []
    bench.open()
    assert events_of(bench.sent()) == ["phx_join"]


def test_what_was_left_offline_is_never_sent() -> None:
    bench = Bench()
    bench.connect()
    machine = bench.socket.join("t:1", bench.now)
    bench.receive(reply(bench.sent()[-1]))
    bench.drop()
    bench.socket.leave(machine, bench.now)
    assert bench.ended() == [machine]
    bench.advance(1)
    bench.open()
    bench.advance(60)
    assert bench.sent() == []


def test_a_topic_is_joined_again_while_it_is_being_left() -> None:
    bench = Bench()
    bench.connect()
    old = bench.socket.join("t:1", bench.now)
    join = bench.sent()[-1]
    bench.receive(reply(join))
    bench.socket.leave(old, bench.now)
    new = bench.socket.join("t:1", bench.now)
    leave, again = bench.sent()
    assert events_of([leave, again]) == ["phx_leave", "phx_join"]
    assert bench.ended() == [old]
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
    bench.socket.news.clear()
    bench.receive(Frame(None, None, "t:unknown", "news", {}))
    assert bench.socket.news == []


def test_only_channels_with_a_deadline_cost_time() -> None:
    bench = Bench()
    bench.connect()
    bench.joined()
    assert bench.socket.next_deadline() == bench.now + 30
    bench.socket.join("t:2", bench.now)
    assert bench.socket.next_deadline() == bench.now + 10


def test_the_backlog_of_pushes_is_bounded() -> None:
    bench = Bench(RealtimeSettings(url="ws://h", queue_limit=10))
    bench.connect()
    machine = bench.socket.join("t:1", bench.now)
    bench.receive(reply(bench.sent()[-1]))
    for _ in range(10):
        assert bench.socket.send(machine, "typing", {}, bench.now)
    with pytest.raises(RealtimeError, match="10 frames are queued"):
        bench.socket.send(machine, "typing", {}, bench.now)
    with pytest.raises(RealtimeError, match="10 frames are queued"):
        bench.socket.push(machine, "ask", {}, bench.now + 1, bench.now)
    assert len(bench.sent()) == 10


def test_a_payload_that_json_cannot_say_is_the_callers_mistake() -> None:
    bench = Bench()
    bench.connect()
    machine = bench.socket.join("t:1", bench.now)
    bench.receive(reply(bench.sent()[-1]))
    with pytest.raises(FrameError):
        bench.socket.send(machine, "typing", {"x": float("nan")}, bench.now)
    assert bench.socket.send(machine, "typing", {"x": 1}, bench.now)


def test_sockets_are_added_as_channels_need_them() -> None:
    world = World(RealtimeSettings(url="ws://h", channels_per_socket=2))
    rooms = [world.joined(str(number)) for number in range(5)]
    assert len(world.sockets) == 3
    assert world.joined("x").subscription.socket is world.sockets[2]
    world.client.release(rooms[0].reference)
    assert len(world.sockets[0].take_commands()) == 1, "the leave, which is not answered yet"
    assert world.room("y").subscription.socket is world.sockets[3]


def test_the_status_is_that_of_the_worst_socket() -> None:
    world = World(RealtimeSettings(url="ws://h", channels_per_socket=1))
    assert world.client.status == "idle"
    world.room("1")
    world.room("2")
    good, bad = world.sockets
    with world.client.step(good) as now:
        good.connection.opened(1, now)
    assert world.client.status == "connecting"
    with world.client.step(bad) as now:
        bad.connection.opened(1, now)
    assert world.client.status == "connected"
    with world.client.step(bad) as now:
        bad.connection.closed(1, 1006, now)
    assert world.client.status == "reconnecting"
    with world.client.step(bad):
        bad.disconnect()
    assert world.client.status == "closed"
