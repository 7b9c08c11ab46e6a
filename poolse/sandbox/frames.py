"""Frames of Phoenix's V2 serializer."""

from __future__ import annotations

from typing import NamedTuple

from poolse.sandbox.strict_json import Json, dump, parse

__all__ = ["BadFrame", "Frame", "decode", "encode", "reply"]


class BadFrame(ValueError):  # noqa: N818  (it is the client's doing)
    """Not a frame. The connection is closed with 1011."""


class Frame(NamedTuple):
    """What a client sent. Refs may be any JSON value; they come back as they were."""

    join_ref: Json
    ref: Json
    topic: str
    event: str
    payload: Json | bytes


def decode(data: str | bytes) -> Frame:
    """A frame from a text or binary message. Elements beyond the fifth are ignored."""
    if isinstance(data, bytes):
        return _decode_binary(data)
    try:
        value = parse(data)
    except ValueError as error:
        raise BadFrame(str(error)) from None
    match value:
        case [join_ref, ref, str(topic), str(event), payload, *_]:
            return Frame(join_ref, ref, topic, event, payload)
        case _:
            raise BadFrame("not an array of five")


def encode(join_ref: Json, ref: Json, topic: str, event: str, payload: object) -> str:
    """A frame as text."""
    return dump([join_ref, ref, topic, event, payload])


def reply(frame: Frame, join_ref: Json, status: str, response: Json) -> str:
    """Return the reply to a frame."""
    payload = {"response": response, "status": status}
    return encode(join_ref, frame.ref, frame.topic, "phx_reply", payload)


def _decode_binary(data: bytes) -> Frame:
    """Kind 0, the only one that clients send: four lengths, four texts, the payload."""
    sizes, rest = data[1:5], data[5:]
    if len(sizes) < 4 or data[0] != 0 or len(rest) < sum(sizes):
        raise BadFrame("not a binary push")
    texts: list[str] = []
    for size in sizes:
        text, rest = rest[:size], rest[size:]
        try:
            texts.append(text.decode())
        except UnicodeDecodeError as error:
            raise BadFrame(str(error)) from None
    join_ref, ref, topic, event = texts
    return Frame(join_ref or None, ref or None, topic, event, rest)
