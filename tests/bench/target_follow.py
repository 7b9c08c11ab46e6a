"""Target 13: follow() over many messages, against the bare loop of list calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Final

from tests.bench.canned_rows import JWT, conversation_of
from tests.bench.worker import Measure

if TYPE_CHECKING:
    from poolse import Poolse

COUNT: Final = 30_000


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


def cpu_of(read: Callable[[Poolse, int], None], chat: Poolse) -> float:
    """Seconds of CPU time."""
    start = time.process_time()
    read(chat, COUNT)
    return time.process_time() - start


@contextmanager
def above_the_list(base: str) -> Generator[Measure]:
    """What `messages.follow(after="beginning")` takes beyond a loop of `messages.list`."""
    from poolse import Poolse

    with Poolse(token=JWT, api_url=base) as chat:
        yield lambda: cpu_of(followed, chat) - cpu_of(listed, chat)


@contextmanager
def httpx_list(base: str) -> Generator[Measure]:
    """The same pages by `httpx.Client.get(url, params=…).json()`."""
    import httpx

    url = f"{base}/v1/conversations/{conversation_of(COUNT)}/messages"

    def measure() -> float:
        start, before = time.process_time(), COUNT + 1
        while rows := client.get(url, params={"limit": 100, "before": before}).json()["data"]:
            before = rows[-1]["sequence"]
        return time.process_time() - start

    with httpx.Client() as client:
        yield measure
