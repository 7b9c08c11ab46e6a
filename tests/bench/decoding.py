"""Targets 5, 5b and 11: a page as rows, against the same as dicts."""

from __future__ import annotations

import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

from tests.bench.canned_rows import page
from tests.bench.worker import Measure, Prepared

TIMES: Final = 200


@contextmanager
def timed(decode: Callable[[bytes], object], **changes: str) -> Generator[Measure]:
    """Decode a page, each row of it with these changes."""
    import orjson

    content = page(50, 50)
    if changes:
        rows = orjson.loads(content)
        content = orjson.dumps(rows | {"data": [row | changes for row in rows["data"]]})

    def measure() -> float:
        taken: list[float] = []
        for _ in range(TIMES):
            start = time.perf_counter()
            decode(content)
            taken.append(time.perf_counter() - start)
        return statistics.median(taken)

    yield measure


@contextmanager
def weighed(decode: Callable[[bytes], object]) -> Generator[Measure]:
    """Bytes of a thousand messages that are kept: twenty pages of fifty."""
    pages = [page(50 * number, 50) for number in range(1, 21)]

    def measure() -> float:
        gc.collect()
        tracemalloc.start()
        kept = [decode(content) for content in pages]
        gc.collect()
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(kept) == len(pages)
        return float(size)

    yield measure


def orjson_loads() -> Callable[[bytes], object]:
    import orjson

    return orjson.loads


def poolse_decode() -> Callable[[bytes], object]:
    from poolse._generated.readers import read_message_list
    from poolse._json.codec import decode

    return lambda content: decode(read_message_list, content)


def loads_page(_: str) -> Prepared:
    """`orjson.loads`."""
    return timed(orjson_loads())


def decode_page(_: str) -> Prepared:
    """What `messages.list` makes of the bytes."""
    return timed(poolse_decode())


def decode_unknown_keys(_: str) -> Prepared:
    """The same with a key in each row that this release does not know."""
    return timed(poolse_decode(), mood="fine")


def decode_unknown_values(_: str) -> Prepared:
    """The same with a type in each row that this release does not know."""
    return timed(poolse_decode(), type="poll")


def dicts_weight(_: str) -> Prepared:
    """A thousand messages as `orjson.loads` gives them."""
    return weighed(orjson_loads())


def rows_weight(_: str) -> Prepared:
    """A thousand messages as `messages.list` gives them."""
    return weighed(poolse_decode())
