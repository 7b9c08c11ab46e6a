"""Targets 14 to 17: what it costs to keep a conversation current."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import count
from types import SimpleNamespace
from typing import Any, Final

import attrs
import orjson

from poolse._generated.events import CONVERSATION, MESSAGE_NEW, MessageNew, read_message_new
from poolse._generated.readers import read_message_list
from poolse._json.codec import decode
from poolse._realtime.settings import RealtimeSettings
from poolse._state.conversation_reducer import reduce
from poolse._state.conversation_state import ConversationCore
from poolse._state.inputs import Joined, PageRead, RequestBegan
from poolse._state.live_conversation import LiveConversation, first_page
from poolse._state.snapshots import ConversationSnapshot
from poolse._state.state_core import StateRegistry
from tests.bench.canned_rows import conversation_of, message, page
from tests.bench.worker import Measure, Prepared
from tests.realtime.virtual_client import World

EVENTS: Final = 2_000
STATES: Final = 100
SETTINGS: Final = RealtimeSettings(url="ws://h/socket", channels_per_socket=STATES)


def loaded(messages: int) -> LiveConversation:
    """A conversation with so many messages."""
    state = LiveConversation(snapshot=ConversationSnapshot(id="c"))
    state = reduce(state, Joined(), 0.0)
    request = first_page(state, messages, is_strict=True)
    state = reduce(state, RequestBegan(request), 0.0)
    rows = [read_message_new(message(number)) for number in range(1, messages + 1)]
    return reduce(state, PageRead(request, rows), 0.0)


@contextmanager
def reduced(messages: int) -> Generator[Measure]:
    """Seconds of a new message in a conversation with so many."""
    full = loaded(messages)
    events = [read_message_new(message(messages + number)) for number in range(1, 201)]

    def measure() -> float:
        start = time.perf_counter()
        for _ in range(EVENTS // len(events)):
            state = full
            for event in events:
                state = reduce(state, event, 1.0)
        return (time.perf_counter() - start) / EVENTS

    yield measure


def event_at_10_000(_: str) -> Prepared:
    """A new message in a conversation with 10,000."""
    return reduced(10_000)


def event_at_100(_: str) -> Prepared:
    """The same with 100."""
    return reduced(100)


@contextmanager
def evolve(_: str) -> Generator[Measure]:
    """`attrs.evolve` of a snapshot."""
    snapshot = loaded(100).snapshot

    def measure() -> float:
        start = time.perf_counter()
        for _ in range(EVENTS):
            attrs.evolve(snapshot, has_older=False)
        return (time.perf_counter() - start) / EVENTS

    yield measure


@contextmanager
def weighed(keep: Callable[[list[MessageNew]], object]) -> Generator[Measure]:
    """Bytes of 10,000 messages that came as events."""
    rows = [orjson.dumps(message(number)) for number in range(1, 10_001)]

    def measure() -> float:
        gc.collect()
        tracemalloc.start()
        kept = keep([read_message_new(orjson.loads(row)) for row in rows])
        gc.collect()
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert kept is not None
        return float(size)

    yield measure


def models_weight(_: str) -> Prepared:
    """The messages in a list."""
    return weighed(lambda messages: messages)


def state_weight(_: str) -> Prepared:
    """The messages in a state."""

    def kept(messages: list[MessageNew]) -> LiveConversation:
        state = loaded(1)
        for event in messages:
            state = reduce(state, event, 1.0)
        return state

    return weighed(kept)


def frames(start: int) -> list[list[bytes]]:
    """A burst: ten messages in each of the conversations."""
    return [
        [
            orjson.dumps([None, None, f"conversation:{conversation_of(n)}", "message:new", row])
            for n in range(STATES)
        ]
        for row in (message(start + number, said=0) for number in range(10))
    ]


@contextmanager
def rate(world: World) -> Generator[Measure]:
    """Events per second, through the client to whoever wants them."""
    (socket,) = world.sockets
    numbers = count(1_000, 10)

    def measure() -> float:
        bursts = [frames(next(numbers)) for _ in range(2)]
        start = time.perf_counter()
        for burst in bursts:
            for messages in burst:
                for data in messages:
                    world.client.receive(socket, socket.connection.generation, data)
                world.call()
        return 20 * STATES / (time.perf_counter() - start)

    yield measure


def events_to_callbacks(_: str) -> Prepared:
    """Events of 100 conversations to a callback of each."""
    world = World(SETTINGS)
    for number in range(STATES):
        reference = world.client.acquire(CONVERSATION, conversation_of(number))
        world.client.subscribe(reference, MESSAGE_NEW, id)
    world.serve()
    return rate(world)


def events_to_states(_: str) -> Prepared:
    """The same events to 100 states."""
    world = World(SETTINGS)
    rows = decode(read_message_list, page(1_000, 50))

    def listed(**_: object) -> object:
        return rows

    def one(_: str) -> Any:
        answers = SimpleNamespace(list=listed)
        return SimpleNamespace(
            messages=answers, show=lambda: None, list_members=lambda: SimpleNamespace(data=[])
        )

    resources: Any = SimpleNamespace(conversations=SimpleNamespace(one=one))
    states = StateRegistry(resources, world.client, lambda: "ann")
    for number in range(STATES):
        core = ConversationCore(states, conversation_of(number), 50)
        core.claims = 1
        core._listen()  # pyright: ignore[reportPrivateUsage]
        world.serve()
        core.refresh(is_strict=False)
        assert len(core.live.snapshot.messages) == len(rows)
    return rate(world)
