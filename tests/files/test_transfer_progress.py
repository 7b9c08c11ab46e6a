"""Progress and declared sizes, without any I/O."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from poolse._files.transfer_progress import ProgressReporter, report_to
from poolse._files.upload import SendingBody
from poolse._files.upload_batch import CombinedProgress
from poolse._rest.request_io import run_sync
from poolse.errors import ArgumentTypeError, UsageError
from tests.files.sync_and_async_clients import Told


class Given:
    """A source of these pieces."""

    repeatable = True

    def __init__(self, pieces: list[bytes], size: int) -> None:
        self.size = size
        self.left = list(pieces)

    async def start(self) -> None:
        raise NotImplementedError

    async def read(self) -> bytes:
        return self.left.pop(0) if self.left else b""

    def close(self) -> None:
        raise NotImplementedError


def send(sending: SendingBody, sent: list[bytes]) -> None:
    while piece := run_sync(sending.next()):
        sent.append(piece)


PIECES = st.lists(st.binary(min_size=1, max_size=40), max_size=30)


@given(PIECES)
def test_all_pieces_pass_when_they_are_as_many_as_declared(pieces: list[bytes]) -> None:
    size = sum(map(len, pieces))
    sending = SendingBody(Given(pieces, size), ProgressReporter(size, None))
    assert not sending.begun
    sent: list[bytes] = []
    send(sending, sent)
    assert sent == pieces
    assert sending.complete
    assert run_sync(sending.next()) == b"", "asked once more"


@example([b"ab", b"c"], 2)
@given(PIECES, st.integers(min_value=0, max_value=2000))
def test_of_another_size_the_last_declared_byte_never_passes(
    pieces: list[bytes], declared: int
) -> None:
    size = sum(map(len, pieces))
    if size == declared:
        return
    sending = SendingBody(Given(pieces, declared), ProgressReporter(declared, None))
    sent: list[bytes] = []
    with pytest.raises(UsageError, match=f"^{declared} bytes were declared, but the body has"):
        send(sending, sent)
    assert sum(map(len, sent)) < max(declared, 1)
    assert isinstance(sending.error, UsageError)
    assert not sending.complete


@given(st.lists(st.integers(min_value=0, max_value=5000)), st.integers(min_value=0, max_value=5000))
def test_progress_is_monotonic_and_reported_a_hundred_times_at_most(
    loaded: list[int], total: int
) -> None:
    told = Told()
    reporter = ProgressReporter(total, report_to(told, awaits=False))
    for now in loaded:
        run_sync(reporter.update(now))
    run_sync(reporter.done())
    values = [now for now, _ in told]
    assert values == sorted(set(values))
    assert told[-1] == (total, total)
    assert len(told) <= 101


def test_progress_is_reported_a_hundred_times_of_many_pieces() -> None:
    told = Told()
    reporter = ProgressReporter(1_000_000, report_to(told, awaits=False))
    for now in range(0, 1_000_001, 10):
        run_sync(reporter.update(now))
    run_sync(reporter.done())
    assert len(told) == 100
    assert told[0] == (10_000, 1_000_000)


def test_several_transfers_are_one() -> None:
    told = Told()
    combined = CombinedProgress([100, 300], report_to(told, awaits=False))
    run_sync(combined.update(1, 200))
    run_sync(combined.update(0, 50))
    run_sync(combined.update(1, 10))
    run_sync(combined.end(0))
    run_sync(combined.end(1))
    run_sync(combined.done())
    assert told == [(200, 400), (250, 400), (400, 400)]


def test_what_a_report_raises_is_kept() -> None:
    error = KeyError("mine")

    def report(_loaded: int, _total: int) -> None:
        raise error

    combined = CombinedProgress([100], report_to(report, awaits=False))
    with pytest.raises(KeyError):
        run_sync(combined.update(0, 50))
    with pytest.raises(KeyError) as caught:
        combined.check()
    assert caught.value is error


def test_a_report_must_be_a_function() -> None:
    with pytest.raises(ArgumentTypeError, match="on_progress must be a function, not str"):
        report_to("print", awaits=False)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
