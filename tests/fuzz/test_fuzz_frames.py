"""Whatever comes on the socket: a frame, an event, or an error of ours."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from websocket import ABNF, WebSocketProtocolException

from poolse._generated import events
from poolse._json.parsing import Mismatch
from poolse._realtime.channel_types import EventType
from poolse._realtime.frames import Frame, FrameError, decode, encode
from poolse._realtime.sync_frames import Frames, TooLarge
from poolse.errors import PushError, UsageError
from tests.fuzz.strategies import FUZZED, almost_rows, contents, json_values

EVENTS: list[EventType[Any]] = [
    value for value in vars(events).values() if isinstance(value, EventType)
]

array = st.tuples(json_values, json_values, json_values, json_values, json_values).map(
    lambda parts: json.dumps(parts).encode()
)
binary = st.tuples(
    st.integers(0, 3),
    st.lists(st.integers(0, 255) | st.integers(0, 6), max_size=5),
    st.binary(max_size=40),
).map(lambda parts: bytes([parts[0], *parts[1]]) + parts[2])


@FUZZED
@given(data=contents | array | binary)
def test_frames(data: bytes) -> None:
    try:
        frame = decode(data)
    except FrameError:
        return
    assert isinstance(frame.topic, str)
    assert isinstance(frame.event, str)
    try:
        encode(frame)
    except (FrameError, UsageError):
        pass


@FUZZED
@given(payload=almost_rows() | json_values)
def test_payloads(payload: object) -> None:
    for event in EVENTS:
        try:
            event.read(payload)
        except Mismatch:
            pass
    assert len(str(PushError("e", payload))) < 5000


def fragment(data: bytes, *, first: bool, last: bool) -> bytes:
    """A short text frame, as a server sends it."""
    opcode = ABNF.OPCODE_TEXT if first else ABNF.OPCODE_CONT
    return bytes([last << 7 | opcode, len(data)]) + data


fragments = st.tuples(st.binary(max_size=30), st.booleans(), st.booleans())


@FUZZED
@given(sent=st.lists(fragments, max_size=12), limit=st.integers(0, 3000))
def test_fragments(sent: list[tuple[bytes, bool, bool]], limit: int) -> None:
    frames, pending = Frames(limit), b""
    for data, first, last in sent:
        frames.add(fragment(data, first=first, last=last))
        try:
            whole = frames.join(frames.take())
        except (TooLarge, WebSocketProtocolException):
            return
        pending = data if first else pending + data
        assert len(pending) <= limit
        assert whole == (pending if last else None)


@FUZZED
@given(payload=json_values, name=st.text(max_size=300))
def test_what_goes_out_comes_back(payload: object, name: str) -> None:
    try:
        data = encode(Frame("1", "2", name, "event", payload))
    except FrameError:
        return
    assert decode(data).topic == name


def test_empty_fragments_weigh() -> None:
    frames, begun = Frames(100_000), 0
    with suppress(TooLarge):
        for begun in range(1000):
            frames.add(fragment(b"", first=not begun, last=False))
            frames.join(frames.take())
    assert 0 < begun < 999
