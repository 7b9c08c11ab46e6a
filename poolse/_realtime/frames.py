"""Frames of Phoenix Channels, serializer V2: text and binary, to and from `Frame`."""

from __future__ import annotations

from math import isfinite
from typing import Any, Final, cast

import attrs
import orjson

from poolse._json.codec import dumped, parsed

__all__ = [
    "HEARTBEAT",
    "PHOENIX_TOPIC",
    "PHX_CLOSE",
    "PHX_ERROR",
    "PHX_JOIN",
    "PHX_LEAVE",
    "PHX_REPLY",
    "VSN",
    "Data",
    "Frame",
    "FrameError",
    "decode",
    "encode",
    "is_behind",
]

VSN: Final = "2.0.0"
"""What the query parameter `vsn` must say. Without it the server talks V1."""

PHOENIX_TOPIC: Final = "phoenix"
HEARTBEAT: Final = "heartbeat"
PHX_JOIN: Final = "phx_join"
PHX_LEAVE: Final = "phx_leave"
PHX_REPLY: Final = "phx_reply"
PHX_ERROR: Final = "phx_error"
PHX_CLOSE: Final = "phx_close"

_PUSH = 0
_MAX_FIELD = 255

# What the server's binary frames carry before the data, by their first byte. Its push differs
# from ours, which has a ref too.
_LAYOUTS = {
    _PUSH: ("join_ref", "topic", "event"),
    1: ("join_ref", "ref", "topic", "status"),
    2: ("topic", "event"),
}


Data = str | bytes | bytearray
"""A message as it comes from the socket."""


class FrameError(Exception):
    """Something is not a V2 frame, or cannot become one. Its text never quotes a payload."""


# Not frozen, although never changed: a frozen one takes three times as long to create.
@attrs.define
class Frame:
    """One message on the socket, in either direction."""

    join_ref: str | None
    """The ref of the join that it belongs to. None in every broadcast."""
    ref: str | None
    """What a reply is matched by. None when no reply is wanted, or it is none."""
    topic: str
    event: str
    payload: object = attrs.field(repr=False)
    """Parsed JSON, or bytes; of a reply in binary `{"status": str, "response": bytes}`."""


def encode(frame: Frame) -> str | bytes:
    """Encode a frame for the socket.

    Returns:
        A str to send as a text message; bytes, when the payload is bytes, for a binary message.

    Raises:
        FrameError: The payload is not JSON (NaN and Infinity are not), or a field of a binary
            frame is longer than its one length byte can say.
    """
    if isinstance(frame.payload, bytes):
        return _encode_binary(frame, frame.payload)
    try:
        text = dumped(
            [frame.join_ref, frame.ref, frame.topic, frame.event, frame.payload],
            orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME,
        )
    except TypeError as error:
        raise FrameError(f"cannot encode {frame.event!r}: {error}") from None
    # Only now: orjson has bounded the depth, and writes null for what JSON cannot say.
    if frame.payload and not _all_finite(frame.payload):
        raise FrameError(f"cannot encode {frame.event!r}: NaN and Infinity are not JSON")
    return text.decode()


def decode(data: Data) -> Frame:
    """Read what came from the socket.

    Text may come as bytes and need not be decoded first: no JSON text starts with the bytes that
    binary frames start with, so the two are distinguished here.

    Raises:
        FrameError: It is not a V2 frame.
    """
    if data and data[0] in _LAYOUTS and not isinstance(data, str):
        return _decode_binary(bytes(data))
    try:
        parts: Any = parsed(data)
    except ValueError:
        raise FrameError("a frame is not JSON") from None
    # Every event passes here: `match` reads better, but makes decoding two thirds slower.
    if parts.__class__ is not list or len(parts) < 5:
        raise FrameError("a frame is not an array of five")
    join_ref, ref, topic, event, payload = parts if len(parts) == 5 else parts[:5]
    if not isinstance(topic, str) or not isinstance(event, str):
        raise FrameError("topic or event of a frame is not a string")
    if join_ref is not None and not isinstance(join_ref, str):
        raise FrameError("join_ref of a frame is neither a string nor null")
    if ref is not None and not isinstance(ref, str):
        raise FrameError("ref of a frame is neither a string nor null")
    return Frame(join_ref, ref, topic, event, payload)


def is_behind(ref: str | None, other: str | None) -> bool:
    """Return whether a frame was sent after another one. Refs count up over a socket's life."""
    return ref is not None and other is not None and int(ref) > int(other)


def _encode_binary(frame: Frame, payload: bytes) -> bytes:
    sizes, fields = bytearray(), bytearray()
    for name in ("join_ref", "ref", "topic", "event"):
        try:
            field = (getattr(frame, name) or "").encode()
        except UnicodeEncodeError:
            raise FrameError(f"{name} of a frame is not Unicode text") from None
        if len(field) > _MAX_FIELD:
            raise FrameError(f"{name} has {len(field)} bytes, a binary frame takes {_MAX_FIELD}")
        sizes.append(len(field))
        fields += field
    return bytes([_PUSH]) + sizes + fields + payload


def _decode_binary(data: bytes) -> Frame:
    names = _LAYOUTS[data[0]]
    start = 1 + len(names)
    sizes = data[1:start]
    if len(sizes) < len(names) or start + sum(sizes) > len(data):
        raise FrameError("a binary frame is cut short")
    fields: dict[str, str] = {}
    for name, size in zip(names, sizes, strict=True):
        try:
            fields[name] = data[start : start + size].decode()
        except UnicodeDecodeError:
            raise FrameError(f"{name} of a binary frame is not UTF-8") from None
        start += size
    payload: object = data[start:]
    if "status" in fields:
        payload = {"status": fields["status"], "response": payload}
    # A field that is absent comes with length zero.
    return Frame(
        fields.get("join_ref") or None,
        fields.get("ref") or None,
        fields["topic"],
        fields.get("event", PHX_REPLY),
        payload,
    )


def _all_finite(value: object) -> bool:
    if isinstance(value, float):
        return isfinite(value)
    if isinstance(value, dict):
        return all(map(_all_finite, cast(dict[str, object], value).values()))
    if isinstance(value, list | tuple):
        return all(map(_all_finite, cast(list[object], value)))
    return True
