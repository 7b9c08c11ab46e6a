"""What it costs to follow a long conversation from its beginning, beside listing it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from poolse import Poolse
from poolse.sandbox.requests import NewMessage
from poolse.testing import Sandbox

MOST = 1.15
ROUNDS = 2


def fill(sandbox: Sandbox, talk: str, count: int) -> None:
    """Messages of alice's, written where the sandbox keeps them: sending would take minutes."""
    new = NewMessage(None, "text", "hello", None, None, [], [])
    alice = sandbox.user_id("alice")

    def write(backend: Any) -> None:
        store = backend._store
        row = store.conversation(backend._tenant["id"], talk)
        with store.transaction():
            for _ in range(count):
                store.add_message(row, alice, None, new)

    inner: Any = sandbox
    inner._call(write)


def measure(sandbox: Sandbox, take: Callable[[], int]) -> tuple[int, float, int]:
    """Messages, seconds of this process, and requests."""
    before, began = len(sandbox.requests), time.process_time()
    count = take()
    return count, time.process_time() - began, len(sandbox.requests) - before


@pytest.mark.soak
def test_filling_a_gap_costs_little_more_than_listing(sandbox: Sandbox) -> None:
    count = 100_000
    with Poolse(api_url=sandbox.url, token=sandbox.token("alice")) as chat:
        talk = chat.conversations.create(type="group").id
        fill(sandbox, talk, count)
        messages = chat.conversations.one(talk).messages

        def listed() -> int:
            return sum(1 for _ in messages.iter(limit=100))

        def followed() -> int:
            with chat.follow([talk], after="beginning", skip_own=False) as feed:
                return sum(1 for _ in zip(range(count), feed, strict=False))

        rounds = [(measure(sandbox, listed), measure(sandbox, followed)) for _ in range(ROUNDS)]
    for one, other in rounds:
        assert one[0] == other[0] == count
        assert other[2] <= MOST * one[2]
    listing, following = (min(taken[side][1] for taken in rounds) for side in (0, 1))
    print(f"listing {listing:.2f} s, following {following:.2f} s")
    assert following <= MOST * listing
