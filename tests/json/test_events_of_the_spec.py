"""Whatever event the spec allows, the sync and the async client read it, and alike."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poolse import AsyncPoolse, Poolse, UnknownEvent, missing, to_dict
from poolse._generated import events
from poolse._json.codec import decode_value
from poolse._json.models import Model
from poolse.sandbox.spec import ASYNCAPI, channels, document, follow
from poolse.testing import Sandbox
from tests.json.spec_values import values_of

CONVERSATION = "conversation:{conversation_id}"
KINDS = {kind.topic: kind for kind in vars(events).values() if type(kind).__name__ == "ChannelType"}
PAYLOADS = {
    (follow(operation["channel"])["address"], message["name"]): message["payload"]
    for operation in document(ASYNCAPI)["operations"].values()
    for message in map(follow, operation["messages"])
    if operation["action"] == "receive"
}


def test_the_events_are_those_of_the_spec() -> None:
    read = {(topic, wire) for topic, kind in KINDS.items() for wire in kind.events}
    assert PAYLOADS.keys() == read


@pytest.mark.parametrize("key", PAYLOADS, ids=" ".join)
@given(data=st.data())
def test_the_reader_takes_what_the_schema_allows(key: tuple[str, str], data: st.DataObject) -> None:
    topic, wire = key
    payload = data.draw(values_of(PAYLOADS[key]))
    assert list(channels()[topic].events[wire].faults(payload)) == []
    read = KINDS[topic].events[wire].read
    event: Any = decode_value(read, payload)
    assert to_dict(event).keys() == payload.keys()
    assert decode_value(read, to_dict(event)) == event
    if isinstance(event, Model):
        assert missing(event) == ()
        assert event.extra == {}


EVENTS = st.one_of(
    [
        st.tuples(st.just(wire), values_of(payload))
        for (topic, wire), payload in PAYLOADS.items()
        # The client puts states and diffs of presence together.
        if topic == CONVERSATION and not wire.startswith("presence_")
    ]
)


@settings(max_examples=5)
@given(st.lists(EVENTS, min_size=20, max_size=40))
def test_both_clients_read_them_alike(broadcasts: list[tuple[str, Any]]) -> None:
    async def scenario(sandbox: Sandbox) -> None:
        with Poolse(api_url=sandbox.url, ws_url=sandbox.ws_url, token=sandbox.token("bob")) as sync:
            async with AsyncPoolse(
                api_url=sandbox.url, ws_url=sandbox.ws_url, token=sandbox.token("bob")
            ) as chat:
                row = await chat.conversations.create(type="group")
                live = sync.realtime.conversation(row.id), chat.realtime.conversation(row.id)
                heard = live[0].events(timeout=10), live[1].events(timeout=10)
                await asyncio.to_thread(live[0].wait_joined)
                await live[1].wait_joined()
                for wire, payload in broadcasts:
                    sandbox.broadcast(live[0].topic, wire, payload)
                for _, payload in broadcasts:
                    one = await asyncio.to_thread(no_presence, heard[0])
                    while type(other := await anext(heard[1])).__name__.startswith("Presence"):
                        pass
                    assert not isinstance(one, UnknownEvent)
                    assert one == other
                    assert to_dict(one).keys() == payload.keys()

    with Sandbox() as sandbox:
        asyncio.run(scenario(sandbox))


def no_presence(heard: Any) -> Any:
    """The next event that is not about presence."""
    while type(event := next(heard)).__name__.startswith("Presence"):
        pass
    return event
