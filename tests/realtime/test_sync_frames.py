"""Frames of the sync socket: cut out of the bytes in whatever pieces they come."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websocket import WebSocketProtocolException
from websockets.frames import Frame, Opcode

from poolse._realtime.sync_frames import Frames, Incomplete, TooLarge

SIZES = (0, 1, 125, 126, 127, 65_535, 65_536, 70_000)


def sent(opcode: Opcode, data: bytes, *, is_last: bool = True) -> bytes:
    return Frame(opcode, data, fin=is_last).serialize(mask=False)


@given(
    sizes=st.lists(st.sampled_from(SIZES), max_size=6),
    cuts=st.lists(st.integers(0, 400_000), max_size=10),
)
def test_messages_come_as_they_were_sent(sizes: list[int], cuts: list[int]) -> None:
    messages = [bytes([number]) * size for number, size in enumerate(sizes)]
    stream = b"".join(sent(Opcode.TEXT, message) for message in messages)
    frames, received = Frames(100_000), list[bytes | None]()
    ends = sorted(min(cut, len(stream)) for cut in (*cuts, len(stream)))
    for start, end in zip([0, *ends], ends, strict=False):
        frames.add(stream[start:end])
        with suppress(Incomplete):
            while True:
                received.append(frames.join(frames.take()))
    assert received == messages


def test_a_ping_between_fragments() -> None:
    frames = Frames(10_000)
    frames.add(sent(Opcode.BINARY, b"a", is_last=False) + sent(Opcode.PING, b"p"))
    frames.add(sent(Opcode.CONT, b"b"))
    assert frames.join(frames.take()) is None
    assert frames.take() == (Opcode.PING, True, b"p")
    assert frames.join(frames.take()) == b"ab"


@pytest.mark.parametrize(
    "header",
    [
        b"\x81\x80",  # masked
        b"\xc1\x00",  # of an extension
        b"\x83\x00",  # an opcode that nobody defined
        b"\x09\x00",  # a ping in parts
        b"\x89\x7e\x00\x7e",  # a ping of 126 bytes
        b"\x88\x01\x00",  # half a close code
        b"\x88\x02\x00\x00",  # a close code that none may send
    ],
)
def test_what_a_server_must_not_send(header: bytes) -> None:
    frames = Frames(100)
    frames.add(header)
    with pytest.raises(WebSocketProtocolException):
        frames.take()


def test_a_size_is_refused_when_it_is_announced() -> None:
    frames = Frames(100)
    frames.add(sent(Opcode.TEXT, b"x" * 100))
    assert frames.join(frames.take()) == b"x" * 100
    frames.add(sent(Opcode.TEXT, b"x" * 101)[:2])
    with pytest.raises(TooLarge):
        frames.take()
