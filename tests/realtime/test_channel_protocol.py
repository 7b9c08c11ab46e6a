"""The life of one channel on an open socket, on a virtual clock."""

from __future__ import annotations

import pytest

from poolse._realtime.effects import Ended, Trouble
from poolse._realtime.frames import Frame
from poolse._realtime.reconnect_policy import Policy
from poolse._realtime.settings import RealtimeSettings
from poolse.errors import ChannelClosed, JoinError, SlowConsumer
from tests.realtime.virtual_socket import Bench, refusal, reply

SETTINGS = RealtimeSettings(url="ws://h/socket")
TOPIC = "t:1"


def event(name: str, join_ref: str | None = None) -> Frame:
    return Frame(join_ref, None, TOPIC, name, {})


def crash(join: Frame) -> Frame:
    return Frame(join.ref, join.ref, TOPIC, "phx_error", {"reason": "channel_crash"})


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.connect()
    bench.drain()
    return bench


def ended(bench: Bench) -> list[Exception | None]:
    return [effect.error for effect in bench.effects(Ended)]


def test_a_join_carries_its_own_ref_twice(bench: Bench) -> None:
    join = bench.joined()
    assert (join.event, join.payload) == ("phx_join", {})
    assert join.join_ref == join.ref is not None


def test_broadcasts_and_pushes_are_delivered(bench: Bench) -> None:
    join = bench.joined()
    bench.receive(event("broadcast"))
    bench.receive(event("push", join.ref))
    bench.receive(event("of an older join", "0"))
    assert bench.events() == ["broadcast", "push"]


def test_what_comes_before_the_reply_is_delivered_after_it(bench: Bench) -> None:
    bench.socket.join(TOPIC, bench.now)
    (join,) = bench.sent()
    bench.receive(event("first"))
    bench.receive(event("second", join.ref))
    assert bench.events() == []
    bench.receive(reply(join))
    bench.receive(event("third"))
    assert bench.events() == ["first", "second", "third"]


def test_what_came_before_a_refusal_is_not_delivered(bench: Bench) -> None:
    bench.socket.join(TOPIC, bench.now)
    (join,) = bench.sent()
    bench.receive(event("early"))
    bench.receive(reply(join, refusal("try later")))
    bench.receive(event("between"))
    bench.advance(1)
    (again,) = bench.sent()
    bench.receive(reply(again))
    assert bench.events() == []


def test_early_events_are_bounded_and_their_loss_is_reported() -> None:
    bench = Bench(RealtimeSettings(url="ws://h", queue_limit=3))
    bench.connect()
    bench.drain()
    bench.socket.join(TOPIC, bench.now)
    (join,) = bench.sent()
    for number in range(5):
        bench.receive(event(f"e{number}"))
    bench.receive(reply(join))
    assert bench.events() == ["e2", "e3", "e4"]
    (trouble,) = bench.effects(Trouble)
    assert isinstance(trouble.error, SlowConsumer)
    assert trouble.error.dropped == 2


def test_the_late_close_of_a_duplicate_join_closes_nothing(bench: Bench) -> None:
    old = bench.joined()
    bench.receive(crash(old))
    bench.advance(1)
    (join,) = bench.sent()
    bench.receive(reply(join))
    bench.receive(Frame(old.ref, old.ref, TOPIC, "phx_close", {}))
    bench.receive(event("news"))
    assert bench.events() == ["news"]
    assert ended(bench) == []


def test_a_crashed_channel_is_joined_again_later_and_later(bench: Bench) -> None:
    join = bench.joined()
    times: list[float] = []
    for _ in range(5):
        bench.receive(crash(join))
        start = bench.now
        deadline = bench.socket.next_deadline()
        assert deadline is not None
        bench.advance(deadline - bench.now)
        (join,) = bench.sent()
        times.append(bench.now - start)
        bench.receive(reply(join))
    assert times == [1.0, 2.0, 5.0, 10.0, 10.0]


def test_a_channel_that_stayed_joined_starts_over(bench: Bench) -> None:
    join = bench.joined()
    bench.receive(crash(join))
    bench.advance(1)
    (join,) = bench.sent()
    bench.receive(reply(join))
    bench.advance(10)
    bench.receive(crash(join))
    bench.advance(1)
    assert len(bench.sent()) == 1


def test_after_a_crash_nothing_is_delivered_until_the_rejoin(bench: Bench) -> None:
    join = bench.joined()
    bench.receive(crash(join))
    bench.receive(event("broadcast"))
    bench.receive(event("push", join.ref))
    assert bench.events() == []


@pytest.mark.parametrize("reason", ["unauthorized", "forbidden", "not_found", "unmatched topic"])
def test_a_terminal_refusal_is_tried_once_more(bench: Bench, reason: str) -> None:
    bench.socket.join(TOPIC, bench.now)
    (join,) = bench.sent()
    # As the server says "unmatched topic": without a join_ref.
    bench.receive(Frame(None, join.ref, TOPIC, "phx_reply", refusal(reason)))
    assert bench.troubles() == ["JoinError"]
    bench.advance(1)
    (again,) = bench.sent()
    assert again.ref != join.ref
    bench.receive(reply(again, refusal(reason)))
    (error,) = ended(bench)
    assert isinstance(error, JoinError)
    assert (error.topic, error.reason) == (TOPIC, reason)
    bench.advance(29)
    assert bench.sent() == []


def test_other_refusals_are_tried_for_ever(bench: Bench) -> None:
    machine = bench.socket.join(TOPIC, bench.now)
    (join,) = bench.sent()
    for _ in range(20):
        bench.receive(reply(join, refusal("too many channels joined")))
        assert machine.refusal is not None
        assert machine.refusal.reason == "too many channels joined"
        bench.advance(10)
        join = bench.sent()[-1]
    bench.receive(reply(join))
    assert machine.state == "joined"
    assert machine.refusal is None


def test_an_unanswered_join_is_taken_back_and_retried(bench: Bench) -> None:
    machine = bench.socket.join(TOPIC, bench.now)
    (join,) = bench.sent()
    bench.advance(10)
    (leave,) = bench.sent()
    assert (leave.event, leave.join_ref) == ("phx_leave", join.ref)
    assert bench.troubles() == ["PushTimeout"]
    bench.receive(reply(join))
    assert machine.state == "errored"
    bench.advance(1)
    (again,) = bench.sent()
    bench.receive(reply(again))
    assert machine.state == "joined"


def test_a_close_that_nobody_asked_for_is_final(bench: Bench) -> None:
    join = bench.joined()
    bench.receive(Frame(join.ref, join.ref, TOPIC, "phx_close", {}))
    (error,) = ended(bench)
    assert isinstance(error, ChannelClosed)
    bench.advance(29)
    assert bench.sent() == []


def test_a_server_that_lost_the_channel_is_joined_again(bench: Bench) -> None:
    machine = bench.socket.join(TOPIC, bench.now)
    bench.receive(reply(bench.sent()[-1]))
    assert bench.socket.send(machine, "typing", {}, bench.now)
    (push,) = bench.sent()
    bench.receive(Frame(None, push.ref, TOPIC, "phx_reply", refusal("unmatched topic")))
    assert machine.state == "errored"
    bench.advance(1)
    assert [f.event for f in bench.sent()] == ["phx_join"]


def test_a_push_goes_out_when_joined_and_is_dropped_otherwise(bench: Bench) -> None:
    machine = bench.socket.join(TOPIC, bench.now)
    (join,) = bench.sent()
    assert not bench.socket.send(machine, "typing", {}, bench.now)
    bench.receive(reply(join))
    assert bench.sent() == []
    assert bench.socket.send(machine, "typing", {"a": 1}, bench.now)
    (push,) = bench.sent()
    assert (push.join_ref, push.event, push.payload) == (join.ref, "typing", {"a": 1})
    assert push.ref not in (None, join.ref)
    bench.drop()
    assert not bench.socket.send(machine, "typing", {}, bench.now)


@pytest.mark.parametrize("how", ["reply", "phx_close", "crash", "socket lost", "five seconds"])
def test_leaving_lasts_until_it_is_confirmed(bench: Bench, how: str) -> None:
    machine = bench.socket.join(TOPIC, bench.now)
    join = bench.sent()[-1]
    bench.receive(reply(join))
    bench.socket.leave(machine, bench.now)
    (leave,) = bench.sent()
    assert (leave.event, leave.join_ref) == ("phx_leave", join.ref)
    bench.receive(event("late"))
    assert bench.events() == []
    assert ended(bench) == []
    match how:
        case "reply":
            bench.receive(reply(leave))
        case "phx_close":
            bench.receive(Frame(join.ref, join.ref, TOPIC, "phx_close", {}))
        case "crash":
            bench.receive(crash(join))
        case "socket lost":
            bench.drop()
        case _:
            bench.advance(5)
    assert ended(bench) == [None]
    assert machine.state == "ended"
    bench.socket.leave(machine, bench.now)
    assert ended(bench) == []


def test_a_channel_is_left_while_joining(bench: Bench) -> None:
    machine = bench.socket.join(TOPIC, bench.now)
    (join,) = bench.sent()
    bench.socket.leave(machine, bench.now)
    (leave,) = bench.sent()
    bench.receive(reply(join))
    assert machine.state == "leaving"
    bench.receive(reply(leave))
    assert ended(bench) == [None]


def test_nothing_is_sent_to_leave_what_is_not_joined(bench: Bench) -> None:
    machine = bench.socket.join(TOPIC, bench.now)
    join = bench.sent()[-1]
    bench.receive(reply(join))
    bench.receive(crash(join))
    bench.socket.leave(machine, bench.now)
    assert bench.sent() == []
    assert ended(bench) == [None]


def test_a_lost_channel_is_not_joined_again_where_the_policy_says_so() -> None:
    settings = RealtimeSettings(url="ws://h", policy=Policy(unmatched_rejoins=False))
    bench = Bench(settings)
    bench.connect()
    bench.drain()
    machine = bench.socket.join(TOPIC, bench.now)
    bench.receive(reply(bench.sent()[-1]))
    assert bench.socket.send(machine, "typing", {}, bench.now)
    (push,) = bench.sent()
    bench.receive(Frame(None, push.ref, TOPIC, "phx_reply", refusal("unmatched topic")))
    assert machine.state == "joined"
