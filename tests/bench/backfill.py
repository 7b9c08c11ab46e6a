"""Target 13: follow() over many messages, against the bare loop of list calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Final

from tests.bench.rows import JWT, conversation_of
from tests.bench.worker import Measure, Prepared

if TYPE_CHECKING:
    from poolse import Poolse

COUNT: Final = 100_000


def listed(chat: Poolse, count: int) -> None:
    """Read all messages of a conversation, page by page."""
    messages = chat.conversations.one(conversation_of(count)).messages
    seen = 0
    rows = messages.list(limit=100).data
    while rows:
        for _ in rows:
            seen += 1
        rows = messages.list(limit=100, before=rows[-1].sequence).data
    assert seen == count


def followed(chat: Poolse, count: int) -> None:
    """Follow a conversation from its beginning to its newest message."""
    seen = 0
    with chat.conversations.one(conversation_of(count)).messages.follow(after="beginning") as feed:
        for _ in islice(feed, count):
            seen += 1
    assert seen == count


@contextmanager
def timed(base: str, read: Callable[[Poolse, int], None]) -> Generator[Measure]:
    from poolse import Poolse

    def measure() -> float:
        start = time.perf_counter()
        read(chat, COUNT)
        return time.perf_counter() - start

    with Poolse(token=JWT, api_url=base) as chat:
        yield measure


def list_all(base: str) -> Prepared:
    """`messages.list(limit=100, before=…)` in a loop."""
    return timed(base, listed)


def follow_all(base: str) -> Prepared:
    """`messages.follow(after="beginning")`."""
    return timed(base, followed)
