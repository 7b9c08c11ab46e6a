"""Many clients whose server closes or refuses them all at once, and error handlers in a hurry."""

from __future__ import annotations

import random
from collections.abc import Callable
from statistics import median

import pytest

from poolse._realtime.channel import ChannelProtocol
from poolse._realtime.effects import Ended, Trouble
from poolse._realtime.frames import PHX_JOIN, Frame
from poolse._realtime.settings import RealtimeSettings
from tests.realtime.virtual_socket import Bench, fixed, refusal, reply

CLIENTS = 150
WITH_A_FRAME = (1000, 1001, 1002, 1005, 1008, 1009, 1011, 1012, 4000)


def herd(happens: Callable[[Bench], None]) -> list[float]:
    """Seconds until each client is back after something that happens to all of them."""
    source = random.Random(4)
    delays: list[float] = []
    for _ in range(CLIENTS):
        bench = Bench(random=source.random)
        bench.connect()
        bench.advance(45)
        happened = bench.now
        happens(bench)
        bench.advance(200)
        delays.append(bench.opens()[1] - happened)
    return sorted(delays)


def width(delays: list[float]) -> float:
    """Between the 5th and the 95th percentile."""
    return delays[len(delays) * 95 // 100] - delays[len(delays) * 5 // 100]


def most_within(delays: list[float], seconds: float) -> int:
    """How many come within so many seconds, where they are most."""
    return max(sum(start <= d < start + seconds for d in delays) for start in delays)


@pytest.mark.parametrize("code", WITH_A_FRAME)
def test_whom_a_server_closes_comes_back_over_five_seconds(code: int) -> None:
    delays = herd(lambda bench: bench.drop(code))
    assert delays[-1] <= 5
    assert width(delays) >= 3.9
    assert most_within(delays, 0.3) <= 25


def test_an_overloaded_server_has_five_seconds_to_itself() -> None:
    delays = herd(lambda bench: bench.drop(1013))
    assert delays[0] >= 5
    assert width(delays) >= 4


def test_who_is_cut_off_comes_back_within_two_seconds() -> None:
    delays = herd(lambda bench: bench.drop(1006))
    assert delays[-1] <= 2
    assert width(delays) >= 1.6
    assert most_within(delays, 0.3) <= 40
    # It may have happened to this client only, who should not be away for long.
    assert median(delays) <= 1.2


def test_a_server_that_does_not_answer_is_tried_over_two_seconds() -> None:
    def fall_silent(bench: Bench) -> None:
        bench.answers_heartbeats = False

    delays = herd(fall_silent)
    assert width(delays) >= 1.6


def test_who_was_asked_to_wait_does_not_come_at_the_same_moment() -> None:
    source = random.Random(4)
    back: list[float] = []
    for _ in range(CLIENTS):
        bench = Bench(random=source.random)
        bench.connect()
        bench.drop(1006)
        bench.advance(2)
        bench.fail(503, retry_after=20.0)
        asked = bench.now
        bench.advance(60)
        back.append(bench.opens()[-1] - asked)
    back.sort()
    assert back[0] >= 20
    assert width(back) >= 4


def test_connect_in_an_error_handler_gathers_no_herd() -> None:
    def drop_and_connect(bench: Bench) -> None:
        bench.drop(1006)
        bench.socket.connect(bench.now)

    delays = herd(drop_and_connect)
    assert width(delays) >= 1.6


# One client whose handler of errors does something about them.

Handler = Callable[[Bench], None]


def connects(bench: Bench) -> None:
    bench.socket.connect(bench.now)


def reconnects(bench: Bench) -> None:
    bench.socket.disconnected(bench.now)
    bench.socket.connect(bench.now)


def connects_twice(bench: Bench) -> None:
    connects(bench)
    reconnects(bench)


@pytest.mark.parametrize("handler", [connects, reconnects, connects_twice])
@pytest.mark.parametrize("outcome", [None, 503, 404, 403, "accept and drop"])
def test_connect_in_an_error_handler_is_no_hot_loop(handler: Handler, outcome: object) -> None:
    source = random.Random(7)
    bench = Bench(random=source.random)
    bench.socket.connect(bench.now)
    end = bench.now + 300
    while bench.now < end:
        if bench.socket.connection.state == "connecting":
            if outcome == "accept and drop":
                bench.open()
                bench.drop(1000)
            else:
                bench.fail(outcome)  # type: ignore[arg-type]
        told = bool(bench.effects(Trouble)) or bench.socket.failure is not None
        if told:
            handler(bench)
        bench.advance(0.05)
    # As without the handler: 2, 5, 10, 20 s and then 30 s, half of it on average.
    assert len(bench.opens()) <= 35
    assert len([at for at in bench.opens() if at < 1005]) <= 6


Ending = Callable[[Bench, ChannelProtocol, Frame], None]


def closes(bench: Bench, machine: ChannelProtocol, join: Frame) -> None:
    bench.receive(Frame(join.ref, join.ref, join.topic, "phx_close", {}))


def refuses(bench: Bench, machine: ChannelProtocol, join: Frame) -> None:
    bench.receive(reply(join, refusal("unauthorized")))


def crashes_and_is_left(bench: Bench, machine: ChannelProtocol, join: Frame) -> None:
    bench.receive(reply(join))
    bench.receive(Frame(join.ref, join.ref, join.topic, "phx_error", {}))
    bench.socket.leave(machine, bench.now)


@pytest.mark.parametrize("ending", [closes, refuses, crashes_and_is_left])
def test_a_channel_acquired_again_in_an_error_handler_is_no_hot_loop(ending: Ending) -> None:
    bench = Bench(random=fixed(0.5))
    bench.connect()
    machine = bench.socket.join("t:1", bench.now)
    end, joins = bench.now + 60, 0
    while bench.now < end:
        for frame in bench.sent():
            if frame.event == PHX_JOIN:
                joins += 1
                ending(bench, machine, frame)
        if bench.effects(Ended):
            machine = bench.socket.join("t:1", bench.now)
        bench.advance(0.05)
    assert 5 <= joins <= 20


def test_a_channel_acquired_after_a_while_is_joined_at_once() -> None:
    bench = Bench()
    bench.connect()
    for _ in range(6):
        bench.socket.join("t:1", bench.now)
        bench.advance(10)
        join = bench.sent()[-1]
        bench.receive(Frame(join.ref, join.ref, "t:1", "phx_close", {}))
    bench.advance(60)
    bench.socket.join("t:1", bench.now)
    assert [frame.event for frame in bench.sent()] == [PHX_JOIN]


def test_a_channel_that_was_left_without_an_error_is_joined_at_once() -> None:
    bench = Bench()
    bench.connect()
    for _ in range(5):
        machine = bench.socket.join("t:1", bench.now)
        (join,) = bench.sent()
        bench.receive(reply(join))
        bench.socket.leave(machine, bench.now)
        bench.receive(reply(bench.sent()[-1]))


def test_what_is_remembered_of_topics_is_forgotten() -> None:
    bench = Bench(RealtimeSettings(url="ws://h", channels_per_socket=10**6), random=fixed(0.5))
    bench.connect()
    for number in range(2000):
        bench.socket.join(f"t:{number}", bench.now)
        (join,) = bench.sent()
        bench.receive(Frame(join.ref, join.ref, join.topic, "phx_close", {}))
        bench.advance(1)
    assert len(bench.socket._history._rejoins) < 50  # pyright: ignore[reportPrivateUsage]
