"""Immutable collections that share what did not change: a change costs the same at any length.

A snapshot with 10,000 messages is followed by one with 10,001. Copying a tuple of them would cost
more than everything else, so the items lie in chunks, and a new sequence shares all chunks but one.
That also tells what changed: only chunks that are not shared need to be compared.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast, overload

__all__ = ["IdMap", "SortedItems"]

T = TypeVar("T")

CHUNK: Final = 64
"""Maximum items of a chunk."""

_Key: TypeAlias = Any

_Chunks = tuple[tuple[T, ...], ...]


class SortedItems(Sequence[T]):
    """Items with unique keys, in the order of their keys."""

    __slots__ = ("_chunks", "_key", "_length")

    def __init__(self, key: Callable[[T], Any], items: Iterable[T] = ()) -> None:
        """Create one.

        Args:
            key: Returns the key of an item.
            items: The items, in any order. Of items with the same key the last is kept.
        """
        ordered = sorted({key(item): item for item in items}.values(), key=key)
        self._key = key
        self._length = len(ordered)
        self._chunks: _Chunks[T] = tuple(_split(ordered))

    def put(self, item: T) -> SortedItems[T]:
        """Return a sequence with an item, which replaces the one with the same key."""
        key, chunks = self._key, self._chunks
        wanted = key(item)
        if not chunks or wanted > key(chunks[-1][-1]):
            if chunks and len(chunks[-1]) < CHUNK:
                return self._with((*chunks[:-1], (*chunks[-1], item)), 1)
            return self._with((*chunks, (item,)), 1)
        index = self._chunk_of(wanted)
        chunk = chunks[index]
        at = bisect_left(chunk, wanted, key=key)
        added = int(key(chunk[at]) != wanted)
        changed = (*chunk[:at], item, *chunk[at + 1 - added :])
        return self._with((*chunks[:index], *_split(changed), *chunks[index + 1 :]), added)

    def without(self, key: _Key) -> SortedItems[T]:
        """Return a sequence without the item that has a key, or this one if there is none."""
        index = self._chunk_of(key)
        if index == len(self._chunks):
            return self
        chunk = self._chunks[index]
        at = bisect_left(chunk, key, key=self._key)
        if self._key(chunk[at]) != key:
            return self
        changed = _split((*chunk[:at], *chunk[at + 1 :]))
        return self._with((*self._chunks[:index], *changed, *self._chunks[index + 1 :]), -1)

    def replaced(self, low: _Key, high: _Key, items: Sequence[T]) -> SortedItems[T]:
        """Return a sequence whose items from `low` to below `high` are replaced by others.

        Args:
            low: The lowest key to replace.
            high: The lowest key that stays above; None to replace all from `low`.
            items: Items in this range, in order.
        """
        key, chunks = self._key, self._chunks
        first = self._chunk_of(low)
        end = len(chunks) if high is None else self._chunk_of(high)
        below = chunks[first] if first < len(chunks) else ()
        above = chunks[end] if end < len(chunks) else ()
        below = below[: bisect_left(below, low, key=key)]
        above = above[bisect_left(above, high, key=key) :] if above else ()
        middle = _split((*below, *items, *above))
        result = (*chunks[:first], *middle, *chunks[end + 1 :])
        return self._with(result, sum(map(len, result)) - self._length)

    def find(self, key: _Key) -> T | None:
        """Return the item with a key, or None."""
        # Most that are looked for are new, and above all others.
        if not self._chunks or self._key(self._chunks[-1][-1]) < key:
            return None
        index = self._chunk_of(key)
        chunk = self._chunks[index]
        item = chunk[bisect_left(chunk, key, key=self._key)]
        return item if self._key(item) == key else None

    @property
    def first(self) -> T | None:
        """The item with the lowest key, or None."""
        return self._chunks[0][0] if self._chunks else None

    def since(self, low: _Key) -> list[T]:
        """Return the items from a key on."""
        index = self._chunk_of(low)
        if index == len(self._chunks):
            return []
        first = self._chunks[index]
        rest = self._chunks[index + 1 :]
        return [*first[bisect_left(first, low, key=self._key) :], *chain.from_iterable(rest)]

    def changed(self, before: SortedItems[T]) -> list[T]:
        """Return the items that were added or replaced since another sequence."""
        if before is self:
            return []
        shared = {id(chunk) for chunk in before._chunks}
        fresh = [chunk for chunk in self._chunks if id(chunk) not in shared]
        return [
            item for item in chain.from_iterable(fresh) if before.find(self._key(item)) is not item
        ]

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        if isinstance(index, slice):
            return tuple(self)[index]
        if index < 0:
            index += self._length
        if 0 <= index < self._length:
            for chunk in self._chunks:
                if index < len(chunk):
                    return chunk[index]
                index -= len(chunk)
        raise IndexError("no item at this index")

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[T]:
        return chain.from_iterable(self._chunks)

    def __reversed__(self) -> Iterator[T]:
        return chain.from_iterable(map(reversed, reversed(self._chunks)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SortedItems):
            return NotImplemented
        return self is other or list(self) == list(cast("Iterable[object]", other))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._length} items>"

    def _chunk_of(self, key: _Key) -> int:
        """Return the index of the first chunk that does not end below a key."""
        chunks, key_of = self._chunks, self._key
        low, high = 0, len(chunks)
        while low < high:
            middle = (low + high) // 2
            if key_of(chunks[middle][-1]) < key:
                low = middle + 1
            else:
                high = middle
        return low

    def _with(self, chunks: _Chunks[T], added: int) -> SortedItems[T]:
        result = cast(SortedItems[T], object.__new__(SortedItems))
        result._key, result._chunks, result._length = self._key, chunks, self._length + added
        return result


def _split(items: Sequence[T]) -> list[tuple[T, ...]]:
    """Return chunks of about the same size, none of them empty."""
    count = -(-len(items) // CHUNK)
    size = -(-len(items) // count) if count else 1
    return [tuple(items[start : start + size]) for start in range(0, len(items), size)]


class IdMap(Generic[T]):
    """Immutable map from IDs to values: a tree of small dictionaries.

    Adding to it copies one of them, and the two levels above. Wider levels would be slower, since
    whatever a copy holds is touched.
    """

    __slots__ = ("_parts",)

    WIDTH: Final = 16

    def __init__(self) -> None:
        part: tuple[dict[str, T], ...] = (dict[str, T](),) * self.WIDTH
        self._parts: tuple[tuple[dict[str, T], ...], ...] = (part,) * self.WIDTH

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process hashes texts differently.
        items = [item for part in self._parts for values in part for item in values.items()]
        return _id_map, (items,)

    def get(self, id: str) -> T | None:
        """Return the value of an ID, or None."""
        high, low = self._place(id)
        return self._parts[high][low].get(id)

    def put(self, id: str, value: T) -> IdMap[T]:
        """Return a map with a value for an ID."""
        high, low = self._place(id)
        parts = list(self._parts)
        part = list(parts[high])
        part[low] = {**part[low], id: value}
        parts[high] = tuple(part)
        return self._with(tuple(parts))

    def put_all(self, values: Iterable[tuple[str, T]]) -> IdMap[T]:
        """Return a map with many values."""
        parts = [[dict(values) for values in part] for part in self._parts]
        for id, value in values:
            high, low = self._place(id)
            parts[high][low][id] = value
        return self._with(tuple(map(tuple, parts)))

    def _place(self, id: str) -> tuple[int, int]:
        number = hash(id) % self.WIDTH**2
        return divmod(number, self.WIDTH)

    def _with(self, parts: tuple[tuple[dict[str, T], ...], ...]) -> IdMap[T]:
        result = cast(IdMap[T], object.__new__(IdMap))
        result._parts = parts
        return result


def _id_map(items: list[tuple[str, T]]) -> IdMap[T]:
    return IdMap[T]().put_all(items)
