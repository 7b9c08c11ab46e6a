"""Frames against what the official client's serializer did, and against rubbish."""

from __future__ import annotations

import json
import random
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poolse._realtime.frames import PHX_REPLY, Frame, FrameError, decode, encode

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[1] / "conformance" / "frame-vectors.json").read_text("utf-8")
)
SECRET = "s3cret"


def vectors(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", [pytest.param(v, id=v["name"]) for v in VECTORS[kind]])


def frame_of(message: dict[str, Any]) -> Frame:
    """The message of a vector, with bytes for hex and None for an absent ref."""
    if "payload_hex" in message:
        payload: Any = bytes.fromhex(message["payload_hex"])
    else:
        payload = message["payload"]
        if "response_hex" in payload:
            response = bytes.fromhex(payload["response_hex"])
            payload = {"status": payload["status"], "response": response}
    join_ref, ref = message["join_ref"] or None, message["ref"] or None
    return Frame(join_ref, ref, message["topic"], message["event"], payload)


def refused(data: str | bytes) -> bool:
    """Whether `decode` refuses; any other exception than its own comes through."""
    try:
        frame = decode(data)
    except FrameError:
        return True
    assert isinstance(frame.topic, str)
    assert isinstance(frame.event, str)
    return False


@vectors("encode_text")
def test_text_is_encoded_as_by_the_official_client(vector: dict[str, Any]) -> None:
    text = encode(frame_of(vector["message"]))
    assert isinstance(text, str)
    assert json.loads(text) == json.loads(vector["frame"])


@vectors("encode_binary")
def test_binary_is_encoded_as_by_the_official_client(vector: dict[str, Any]) -> None:
    assert encode(frame_of(vector["message"])) == bytes.fromhex(vector["frame_hex"])


@vectors("encode_binary_errors")
def test_too_long_a_field_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(FrameError, match="256 bytes"):
        encode(frame_of(vector["message"]))


@vectors("decode_text")
def test_text_is_decoded_as_by_the_official_client(vector: dict[str, Any]) -> None:
    expected = frame_of(vector["message"])
    assert decode(vector["frame"]) == expected
    assert decode(vector["frame"].encode()) == expected


@vectors("decode_binary")
def test_binary_is_decoded_as_by_the_official_client(vector: dict[str, Any]) -> None:
    assert decode(bytes.fromhex(vector["frame_hex"])) == frame_of(vector["message"])


@vectors("decode_odd")
def test_odd_frames_are_refused(vector: dict[str, Any]) -> None:
    assert refused(vector["frame"] if "frame" in vector else bytes.fromhex(vector["frame_hex"]))


@pytest.mark.parametrize(
    "text",
    [
        '[1,null,"t","e",{}]',
        '[null,2,"t","e",{}]',
        '[null,null,null,"e",{}]',
        '[null,null,"t",7,{}]',
        '[null,null,"t","e",NaN]',
        "[" * 100_000,
        "[" * 100_000 + "]" * 100_000,
    ],
    ids=lambda text: text[:20],
)
def test_mistyped_or_bottomless_text_is_refused(text: str) -> None:
    assert refused(text)
    assert refused(text.encode())


def test_fields_that_are_not_utf8_are_refused() -> None:
    assert refused(b'[null,null,"t","e","\xff"]')
    assert refused(b"\x02\x01\x01\xffe")
    with pytest.raises(FrameError):
        encode(Frame("1", "2", "\ud800", "e", b""))


def test_ten_megabytes_are_one_frame() -> None:
    body = "x" * 10_000_000
    assert decode(json.dumps([None, None, "t", "e", body])).payload == body


def bottomless() -> list[object]:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    return value


@pytest.mark.parametrize(
    "payload",
    [
        float("nan"),
        float("inf"),
        {"a": [1, {"b": float("-inf")}]},
        {"a": (1.0, float("nan"))},
        {1: "a key that is no string"},
        {"set": {1}},
        {"when": datetime(2026, 1, 1, tzinfo=UTC)},
        "\ud800",
        bottomless(),
    ],
    ids=lambda payload: type(payload).__name__,
)
def test_what_json_cannot_say_is_refused(payload: object) -> None:
    with pytest.raises(FrameError):
        encode(Frame("1", "2", "t", "e", payload))


def test_finite_numbers_and_null_are_not_refused() -> None:
    payload = {"a": [1.5, None, (2.5, 0)]}
    text = encode(Frame(None, "1", "t", "e", payload))
    assert text == '[null,"1","t","e",{"a":[1.5,null,[2.5,0]]}]'


def test_nothing_that_a_log_could_hold_quotes_the_payload() -> None:
    assert SECRET not in repr(Frame("1", "2", "t", "e", {"token": SECRET}))
    with pytest.raises(FrameError) as encoding:
        encode(Frame("1", "2", "t", "phx_join", {"token": SECRET, "n": float("nan")}))
    with pytest.raises(FrameError) as typing:
        encode(Frame("1", "2", "t", "phx_join", {"token": SECRET, "set": {SECRET}}))
    with pytest.raises(FrameError) as decoding:
        decode(f'[null,null,"t","e",{{"token":"{SECRET}"')
    for caught in (encoding, typing, decoding):
        assert SECRET not in "".join(traceback.format_exception(caught.value))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=20,
)
refs = st.none() | st.text(min_size=1, max_size=5)
short = st.text(max_size=63)  # at most four bytes a character: 252


@given(st.builds(Frame, refs, refs, st.text(), st.text(), json_values))
@settings(deadline=None)
def test_text_comes_back_as_it_went(frame: Frame) -> None:
    text = encode(frame)
    assert isinstance(text, str)
    assert decode(text) == frame
    assert decode(text.encode()) == frame


def as_server(kind: int, *fields: str, data: bytes) -> bytes:
    raw = [field.encode() for field in fields]
    return bytes([kind, *map(len, raw)]) + b"".join(raw) + data


@given(refs, refs, short, short, st.binary())
@settings(deadline=None)
def test_binary_of_a_server_is_read(
    join_ref: str | None, ref: str | None, topic: str, name: str, data: bytes
) -> None:
    push = as_server(0, join_ref or "", topic, name, data=data)
    assert decode(push) == Frame(join_ref, None, topic, name, data)
    reply = as_server(1, join_ref or "", ref or "", topic, name, data=data)
    answer = {"status": name, "response": data}
    assert decode(reply) == Frame(join_ref, ref, topic, PHX_REPLY, answer)
    broadcast = as_server(2, topic, name, data=data)
    assert decode(broadcast) == Frame(None, None, topic, name, data)


@given(refs, refs, short, short, st.binary())
@settings(deadline=None)
def test_binary_to_a_server_has_a_ref_too(
    join_ref: str | None, ref: str | None, topic: str, event: str, data: bytes
) -> None:
    expected = as_server(0, join_ref or "", ref or "", topic, event, data=data)
    assert encode(Frame(join_ref, ref, topic, event, data)) == expected


@given(st.binary() | st.text())
@settings(deadline=None)
def test_random_data_is_at_most_refused(data: str | bytes) -> None:
    refused(data)


def mutated(good: bytes, dice: random.Random) -> bytes:
    data = bytearray(good)
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(data) + 1)
        match dice.randrange(3):
            case 0:
                del data[at:]
            case 1:
                data.insert(at, dice.randrange(256))
            case _:
                data[at : at + 1] = bytes([dice.randrange(256)])
    return bytes(data)


def test_a_hundred_thousand_damaged_frames_are_at_most_refused() -> None:
    dice = random.Random(7)
    good = [v["frame"].encode() for v in VECTORS["decode_text"]]
    good += [bytes.fromhex(v["frame_hex"]) for v in VECTORS["decode_binary"]]
    count = sum(refused(mutated(dice.choice(good), dice)) for _ in range(100_000))
    # Some damage only changes a letter: both outcomes have to be seen, or this tests nothing.
    assert 10_000 < count < 90_000
