"""In tests: checks that the events, pushes and replies of channels are as the spec says.

They are reported as responses are, inside of `response_validation.watch`. Joins, leaves and
heartbeats belong to the protocol, not to the spec.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from poolse.sandbox.api.channel_push import Reply
from poolse.sandbox.api_versions import NEWEST
from poolse.sandbox.response_validation import report
from poolse.sandbox.strict_json import Json, JsonObject
from poolse.sandbox.topics import match_topic

if TYPE_CHECKING:
    from poolse.sandbox.spec import Channel

__all__ = ["check_event", "check_push", "check_reply"]


def check_event(topic: str, event: str, payload: JsonObject, version: str = NEWEST.name) -> None:
    """Check an event of the backend; what a test lets the sandbox send may be anything."""
    report(f"{topic} {event}", _event_faults(topic, event, payload, version))


def check_push(topic: str, event: str, payload: Json | bytes) -> None:
    """Check a push of a client, if the spec has one of its name."""
    report(f"{topic} {event}", _push_faults(topic, event, payload))


def check_reply(topic: str, event: str, reply: Reply) -> None:
    """Check the reply to a push."""
    report(f"{topic} {event}, reply", _reply_faults(topic, event, reply))


def _event_faults(topic: str, event: str, payload: JsonObject, version: str) -> Iterator[str]:
    channel = _channel(topic, version)
    schema = None if channel is None else channel.events.get(event)
    if schema is None:
        yield "the event is not in the spec"
    else:
        yield from schema.faults(payload)


def _push_faults(topic: str, event: str, payload: Json | bytes) -> Iterator[str]:
    channel = _channel(topic)
    push = None if channel is None else channel.pushes.get(event)
    if push is not None:
        yield from push.payload.faults(payload)


def _reply_faults(topic: str, event: str, reply: Reply) -> Iterator[str]:
    channel = _channel(topic)
    push = None if channel is None else channel.pushes.get(event)
    if push is None:
        yield "the push is not in the spec"
    elif push.reply is None:
        if reply.response is not None:
            yield "there should be no reply"
    elif reply.response is None:
        yield "there is no reply"
    elif reply.status == "ok":
        yield from push.reply.faults(reply.response)
    elif not isinstance(reply.response.get("reason"), str):
        yield "an error needs a reason"


def _channel(topic: str, version: str = NEWEST.name) -> Channel | None:
    # As in `rest`: the sandbox starts without.
    from poolse.sandbox.spec import channels

    match = match_topic(topic)
    return None if match is None else channels(version).get(match.topic.address)
