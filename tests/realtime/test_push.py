"""Pushes that want a reply, on a virtual clock."""

from __future__ import annotations

import pytest

from poolse._realtime.channel import ChannelProtocol, Payload, Push
from poolse._realtime.effects import Answered
from poolse._realtime.frames import Frame, FrameError
from poolse._realtime.settings import RealtimeSettings
from poolse.errors import (
    ChannelClosed,
    PoolseError,
    PushError,
    PushOutcomeUnknown,
    PushTimeout,
    RealtimeError,
)
from tests.realtime.virtual_socket import Bench, refusal, reply

TOPIC = "t:1"


class Asking:
    """A bench with one channel that pushes."""

    def __init__(self, limit: int = 1000) -> None:
        self.bench = Bench(RealtimeSettings(url="ws://h/socket", queue_limit=limit))
        self.bench.connect()
        self.channel: ChannelProtocol = self.bench.socket.join(TOPIC, self.bench.now)
        (self.join,) = self.bench.sent()

    def admit(self) -> None:
        self.bench.receive(reply(self.join))

    def ask(self, event: str = "ask", payload: Payload | None = None, timeout: float = 10) -> Push:
        bench = self.bench
        deadline = bench.now + timeout
        return bench.socket.push(self.channel, event, payload or {}, deadline, bench.now)

    def sent(self) -> list[str]:
        return [frame.event for frame in self.bench.sent()]

    def rejoin(self) -> list[Frame]:
        """Come back after a loss; what was sent after the join."""
        self.bench.advance(2)
        if self.bench.socket.connection.state == "connecting":
            self.bench.open()
        (join,) = self.bench.sent()
        assert join.event == "phx_join"
        self.bench.receive(reply(join))
        return self.bench.sent()


@pytest.fixture
def asking() -> Asking:
    return Asking()


def failure_of(push: Push) -> PoolseError:
    assert push.is_done
    with pytest.raises(PoolseError) as caught:
        push.result()
    return caught.value


def test_what_is_asked_before_the_join_goes_out_after_it_in_order_and_once(asking: Asking) -> None:
    for event in ("first", "second", "third"):
        asking.ask(event)
    assert asking.sent() == []
    asking.admit()
    assert asking.sent() == ["first", "second", "third"]
    asking.bench.drop()
    assert asking.rejoin() == []


def test_a_reply_belongs_to_its_ref(asking: Asking) -> None:
    asking.admit()
    pushes = [asking.ask(), asking.ask()]
    frames = asking.bench.sent()
    assert {frame.join_ref for frame in frames} == {asking.join.ref}
    asking.bench.receive(reply(frames[1], {"status": "ok", "response": [1]}))
    assert [push.is_done for push in pushes] == [False, True]
    assert pushes[1].result() == [1]
    asking.bench.receive(reply(frames[0], refusal("no")))
    error = failure_of(pushes[0])
    assert isinstance(error, PushError)
    assert error.response == {"reason": "no"}
    assert len(asking.bench.effects(Answered)) == 2


def test_one_deadline_from_the_call_on(asking: Asking) -> None:
    late, later = asking.ask("late", timeout=3), asking.ask("later", timeout=9)
    asking.bench.advance(4)
    assert isinstance(failure_of(late), PushTimeout)
    asking.admit()
    assert asking.sent() == ["later"]
    # Being sent did not start it again.
    asking.bench.advance(5)
    assert isinstance(failure_of(later), PushTimeout)


def test_what_is_too_late_is_not_sent_even_if_no_tick_came_first(asking: Asking) -> None:
    push = asking.ask(timeout=3)
    asking.bench.now += 4
    asking.admit()
    assert asking.sent() == []
    assert isinstance(failure_of(push), PushTimeout)


@pytest.mark.parametrize("how", ["socket lost", "heartbeat", "crash"])
def test_what_was_sent_fails_at_once_and_is_not_sent_again(asking: Asking, how: str) -> None:
    bench = asking.bench
    asking.admit()
    push = asking.ask(timeout=600)
    assert asking.sent() == ["ask"]
    if how == "socket lost":
        bench.drop()
    elif how == "heartbeat":
        bench.answers_heartbeats = False
        bench.advance(40)
    else:
        bench.receive(Frame(asking.join.ref, asking.join.ref, TOPIC, "phx_error", {}))
    assert isinstance(failure_of(push), PushOutcomeUnknown)
    bench.answers_heartbeats = True
    assert asking.rejoin() == []


def test_what_was_not_sent_survives_a_loss(asking: Asking) -> None:
    asking.bench.drop()
    push = asking.ask(timeout=60)
    (frame,) = asking.rejoin()
    asking.bench.receive(reply(frame))
    assert push.result() == {}


@pytest.mark.parametrize("how", ["leave", "closed", "refused", "disconnect", "final"])
def test_where_no_join_will_come_nothing_waits(asking: Asking, how: str) -> None:
    bench = asking.bench
    push = asking.ask(timeout=600)
    match how:
        case "leave":
            bench.socket.leave(asking.channel, bench.now)
        case "closed":
            bench.receive(Frame(asking.join.ref, asking.join.ref, TOPIC, "phx_close", {}))
        case "refused":
            bench.receive(reply(asking.join, refusal("unauthorized")))
            bench.advance(1)
            bench.receive(reply(bench.sent()[-1], refusal("unauthorized")))
        case "disconnect":
            bench.socket.disconnected(bench.now)
        case _:
            bench.socket.broken(ChannelClosed("over"), bench.now)
    failure_of(push)
    assert bench.effects(Answered)


def test_a_late_reply_is_nobodys(asking: Asking) -> None:
    asking.admit()
    push = asking.ask(timeout=1)
    (frame,) = asking.bench.sent()
    asking.bench.advance(1)
    asking.bench.receive(reply(frame))
    assert isinstance(failure_of(push), PushTimeout)
    assert asking.channel.state == "joined"


def test_ten_thousand_that_nobody_answered_leave_nothing(asking: Asking) -> None:
    asking.admit()
    for _ in range(10_000):
        asking.ask(timeout=0.5)
        asking.bench.advance(1)
    assert asking.channel.wake_at is None


def test_one_too_many_is_an_error() -> None:
    asking = Asking(limit=3)
    for _ in range(3):
        asking.ask()
    with pytest.raises(RealtimeError, match="3 pushes to t:1 are queued already"):
        asking.ask()
    asking.admit()
    assert len(asking.sent()) == 3


def test_what_is_not_wanted_any_more_is_not_sent(asking: Asking) -> None:
    push, other = asking.ask("unwanted"), asking.ask("wanted")
    asking.channel.withdraw(push)
    asking.admit()
    assert asking.sent() == ["wanted"]
    assert not other.is_done
    asking.channel.withdraw(other)
    assert asking.channel.wake_at is None


def test_the_caller_cannot_change_it_afterwards(asking: Asking) -> None:
    payload: dict[str, object] = {"list": [1]}
    asking.ask(payload=payload)
    payload["list"] = object()
    asking.admit()
    (frame,) = asking.bench.sent()
    assert frame.payload == {"list": [1]}


def test_what_cannot_be_encoded_is_refused_before_the_join_too(asking: Asking) -> None:
    with pytest.raises(FrameError):
        asking.ask(payload={"x": float("nan")})
    with pytest.raises(FrameError):
        asking.ask("e" * 256, payload=b"\x01")


def test_a_lost_channel_refuses_and_joins_again(asking: Asking) -> None:
    asking.admit()
    push = asking.ask()
    (frame,) = asking.bench.sent()
    unmatched = refusal("unmatched topic")
    asking.bench.receive(Frame(None, frame.ref, TOPIC, "phx_reply", unmatched))
    assert isinstance(failure_of(push), PushError)
    assert asking.channel.state == "errored"
    asking.rejoin()
    assert asking.channel.state == "joined"


def test_bytes_go_and_come_in_binary_frames(asking: Asking) -> None:
    asking.admit()
    push = asking.ask("upload", payload=b"\x00\xff")
    asking.bench.collect()
    (_, command) = asking.bench.log[-1]
    data = getattr(command, "data", None)
    assert isinstance(data, bytes)
    assert data.endswith(b"upload\x00\xff")
    ref = asking.join.ref or ""
    own = str(int(ref) + 1)
    sizes = bytes([len(ref), len(own), len(TOPIC), 2])
    answer = b"\x01" + sizes + f"{ref}{own}{TOPIC}ok".encode() + b"\x01\x02"
    asking.bench.receive_data(answer)
    assert push.result() == b"\x01\x02"
