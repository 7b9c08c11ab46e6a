"""The life of one socket, on a virtual clock."""

from __future__ import annotations

import random

import pytest

from poolse._realtime.effects import Close, Failure, Open, Send, Trouble
from poolse._realtime.frames import Frame, decode
from poolse._realtime.reconnect_policy import FinalAfter
from poolse._realtime.settings import RealtimeSettings
from poolse.errors import AuthError, ConnectionFailed
from tests.realtime.virtual_socket import Bench, fixed, reply

SETTINGS = RealtimeSettings(url="ws://h/socket")
LASTING = FinalAfter(10, 300.0)
CODES = (1000, 1001, 1002, 1005, 1006, 1008, 1009, 1011, 1012, 1013, 4000)


def failure_of(bench: Bench) -> Exception | None:
    return bench.socket.failure


@pytest.mark.parametrize("code", CODES)
def test_it_comes_back_after_every_close_but_ours(code: int) -> None:
    bench = Bench()
    bench.connect()
    bench.advance(60 - 31)
    bench.drop(code)
    assert bench.socket.connection.status == "reconnecting"
    bench.advance(11)
    assert len(bench.opens()) == 2
    bench.open()
    assert bench.socket.connection.status == "connected"


def test_it_stays_away_after_our_close() -> None:
    bench = Bench()
    bench.connect()
    bench.socket.disconnected(bench.now)
    bench.advance(3600)
    assert len(bench.opens()) == 1
    assert bench.closes() == [Close(1, 1000)]
    assert bench.socket.connection.status == "closed"


def test_the_close_is_under_way_until_the_transport_says_so() -> None:
    bench = Bench()
    bench.connect()
    bench.socket.disconnected(bench.now)
    assert bench.socket.connection.closing == {1}
    bench.socket.connect(bench.now)
    bench.socket.closed(1, 1000, bench.now)
    assert not bench.socket.connection.closing
    assert bench.socket.connection.state == "connecting"


@pytest.mark.parametrize("state", ["waiting", "failed", "disconnected"])
def test_connect_tries_at_once_long_after_a_failure_and_not_just_after_it(state: str) -> None:
    bench = Bench()
    bench.socket.connect(bench.now)
    for _ in range(12):
        bench.fail()
        bench.advance(30)
    bench.fail(404 if state == "failed" else None)
    if state == "disconnected":
        bench.socket.disconnected(bench.now)
    before = len(bench.opens())
    bench.socket.connect(bench.now)
    bench.advance(SETTINGS.connect_after - 0.1)
    bench.socket.connect(bench.now)
    assert len(bench.opens()) == before, "what is left of the backoff is waited"
    assert bench.socket.connection.status == "connecting"
    bench.advance(0.1)
    bench.socket.connect(bench.now)
    assert len(bench.opens()) == before + 1
    bench.fail()
    bench.socket.connect(bench.now)
    bench.advance(SETTINGS.connect_after)
    assert len(bench.opens()) == before + 1, "and it does not start over"
    bench.advance(30)
    assert len(bench.opens()) == before + 2


def test_what_an_old_transport_says_changes_nothing() -> None:
    bench = Bench()
    bench.connect()
    bench.drop()
    bench.advance(2)
    bench.open()
    join = bench.joined()
    bench.drain()
    bench.socket.closed(1, 1006, bench.now)
    bench.socket.failed(1, Failure(reason="late"), bench.now)
    bench.socket.opened(1, bench.now)
    bench.receive_data(b'[null,null,"t:1","old",{}]', generation=1)
    assert bench.socket.connection.state == "open"
    assert bench.drain() == []
    assert bench.events() == []
    bench.receive(Frame(join.join_ref, None, "t:1", "new", {}))
    assert bench.events() == ["new"]


def test_a_refused_token_is_replaced_once_after_a_pause() -> None:
    bench = Bench(random=fixed(0.0))
    bench.socket.connect(bench.now)
    start = bench.now
    bench.fail(403)
    assert bench.drain() == [Open(1, refresh=False)]
    assert bench.troubles() == [], "tokens end, and are replaced without a word"
    bench.advance(1)
    assert bench.drain() == [Open(2, refresh=True)]
    assert bench.opens() == [start, start + 0.5]
    bench.fail(401)
    assert isinstance(failure_of(bench), AuthError)
    assert bench.socket.connection.status == "closed"
    bench.advance(600)
    assert len(bench.opens()) == 2


def test_a_token_that_worked_meanwhile_earns_another_refresh() -> None:
    bench = Bench()
    bench.connect()
    for _ in range(5):
        bench.drop()
        bench.advance(30)
        bench.fail(403)
        bench.advance(31)
        assert bench.drain()[-1] == Open(bench.generation, refresh=True)
        bench.open()
    assert failure_of(bench) is None


def test_an_outage_between_two_refusals_is_no_answer() -> None:
    bench = Bench()
    bench.socket.connect(bench.now)
    for status in (403, 502, 403):
        bench.fail(status)
        bench.advance(30)
    assert isinstance(failure_of(bench), AuthError)


def test_connect_tries_again_after_a_final_failure() -> None:
    bench = Bench()
    bench.socket.connect(bench.now)
    bench.fail(404)
    error = failure_of(bench)
    assert isinstance(error, ConnectionFailed)
    assert error.final
    assert error.code == 404
    bench.socket.connect(bench.now)
    assert failure_of(bench) is None
    bench.advance(3)
    bench.open()
    assert bench.socket.connection.status == "connected"


def test_what_would_fail_again_is_final() -> None:
    bench = Bench()
    bench.socket.connect(bench.now)
    failure = Failure(reason="the certificate is not trusted", final=True)
    bench.socket.failed(1, failure, bench.now)
    bench.advance(3600)
    assert len(bench.opens()) == 1
    assert "certificate" in str(failure_of(bench))


def test_the_server_may_ask_for_time() -> None:
    bench = Bench(random=fixed(0.0))
    bench.socket.connect(bench.now)
    start = bench.now
    bench.fail(503, retry_after=42.0)
    bench.advance(100)
    assert bench.opens() == [start, start + 42]


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("status", [503, 429, 403])
def test_nobody_waits_a_day(known: bool, status: int) -> None:
    bench = Bench()
    bench.socket.connect(bench.now)
    if known:
        bench.open()
        bench.drop()
        bench.advance(10)
    bench.effects(Trouble)
    asked = bench.now
    bench.fail(status, retry_after=86400.0)
    (trouble,) = bench.effects(Trouble)
    assert "next attempt in 6" in str(trouble.error), "and whoever waits long is told"
    assert "asked for 86400 s" in str(trouble.error)
    bench.advance(70)
    assert SETTINGS.max_retry_after <= bench.opens()[-1] - asked <= 70


def test_policy_violations_refresh_the_token_and_are_final_when_they_last() -> None:
    bench = Bench()
    bench.connect()
    start = bench.now
    while failure_of(bench) is None:
        bench.drop(1008)
        assert bench.now - start < 1000
        if failure_of(bench) is None:
            bench.advance(30)
            assert bench.log[-1][1] == Open(bench.generation, refresh=True)
            bench.open()
    assert len(bench.opens()) >= LASTING.times
    assert bench.now - start >= LASTING.seconds
    bench.advance(600)
    assert bench.socket.connection.status == "closed"


def test_heartbeats_follow_their_replies() -> None:
    bench = Bench(answers_heartbeats=False)
    bench.connect()
    for _ in range(3):
        bench.advance(30)
        (beat,) = bench.log[-1:]
        bench.advance(5)
        assert isinstance(beat[1], Send)
        frame = decode(beat[1].data)
        assert (frame.join_ref, frame.topic, frame.event) == (None, "phoenix", "heartbeat")
        bench.receive(reply(frame))
    assert [when for when, c in bench.log if isinstance(c, Send)] == [1030, 1065, 1100]
    assert not bench.closes()


@pytest.mark.parametrize("answer", ["nothing", "other traffic", "another ref"])
def test_only_the_reply_to_the_heartbeat_counts(answer: str) -> None:
    bench = Bench(answers_heartbeats=False)
    bench.connect()
    bench.advance(30)
    bench.advance(9)
    if answer == "other traffic":
        bench.receive(Frame(None, None, "t:1", "news", {}))
    if answer == "another ref":
        bench.receive(Frame(None, "999", "phoenix", "phx_reply", {"status": "ok", "response": {}}))
    bench.advance(1)
    assert bench.closes() == [Close(1, 1000)]
    bench.advance(2)
    assert len(bench.opens()) == 2


def test_a_reply_that_comes_after_the_time_out_revives_nothing() -> None:
    bench = Bench(answers_heartbeats=False)
    bench.connect()
    bench.advance(30)
    beat = bench.log[-1][1]
    assert isinstance(beat, Send)
    late = reply(decode(beat.data))
    bench.advance(10)
    assert bench.socket.connection.status == "reconnecting", "overdue is not connected"
    bench.receive(late)
    assert bench.socket.connection.status == "reconnecting"
    bench.advance(2)
    bench.open()
    bench.receive(late)
    bench.advance(30 + 10)
    assert len(bench.closes()) == 2, "and it is no reply to the next one"


def test_after_a_long_sleep_the_input_comes_first() -> None:
    bench = Bench(answers_heartbeats=False)
    bench.connect()
    bench.advance(30)
    beat = bench.log[-1][1]
    assert isinstance(beat, Send)
    bench.now += 3600
    bench.socket.tick(bench.now)
    assert not bench.closes()
    bench.receive(reply(decode(beat.data)))
    bench.advance(29)
    assert not bench.closes()
    # Once only: a server that is gone is noticed all the same.
    bench.advance(31)
    assert len(bench.closes()) == 1


@pytest.mark.parametrize("seed", range(20))
def test_accept_and_drop_is_no_hot_loop(seed: int) -> None:
    bench = Bench(random=random.Random(seed).random)
    bench.connect()
    end = bench.now + 60
    while bench.now < end:
        bench.drop(1000)
        deadline = bench.socket.next_deadline()
        assert deadline is not None
        bench.advance(deadline - bench.now)
        bench.open()
    assert len(bench.opens()) < 20


def test_a_connection_that_held_starts_the_backoff_over() -> None:
    bench = Bench()
    bench.connect()
    for _ in range(8):
        bench.drop()
        bench.advance(30)
        bench.open()
    bench.advance(10)
    bench.drop()
    bench.advance(2)
    assert len(bench.opens()) == 10


def test_an_hour_of_reconnects() -> None:
    bench = Bench(random=random.Random(1).random)
    source = random.Random(2)
    bench.socket.connect(bench.now)
    end = bench.now + 3600
    while bench.now < end:
        if bench.socket.connection.state == "connecting":
            if source.random() < 0.5:
                bench.fail(source.choice([None, 500, 503]))
            else:
                bench.open()
        elif bench.socket.connection.state == "open" and source.random() < 0.7:
            bench.drop(source.choice(CODES[:5]))
        bench.advance(1)
        assert (
            bench.socket.next_deadline() is not None
            or bench.socket.connection.state == "connecting"
        )
    assert len(bench.opens()) == bench.generation


def test_what_is_no_frame_is_reported_and_dropped() -> None:
    bench = Bench()
    bench.connect()
    for data in (b"", b"{}", b"[1]", b"\x07", b'["1","1",null,"x",{}]', b"\xff\xfe"):
        bench.receive_data(data)
    assert bench.troubles() == ["DecodeError"] * 6
    assert bench.socket.connection.state == "open"
