"""SortedItems and IdMap against a dictionary, and what a change of a long sequence costs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolse._state.sorted_items import CHUNK, IdMap, SortedItems

LONG = 10_000

Item = tuple[int, str]

keys = st.integers(0, 3 * CHUNK)
items = st.tuples(keys, st.sampled_from("ab"))
# Some in one go, since chunks are full only then, and some one by one.
starts = st.one_of(
    st.lists(items, max_size=20),
    st.integers(0, 4 * CHUNK).map(lambda n: [(k, "s") for k in range(n)]),
)
changes = st.lists(
    st.one_of(
        st.tuples(st.just("put"), items),
        st.tuples(st.just("without"), keys),
        st.tuples(st.just("replaced"), st.tuples(keys, keys, st.booleans(), st.lists(items))),
    ),
    max_size=30,
)


def key(item: Item) -> int:
    return item[0]


def replaced(
    value: SortedItems[Item], model: dict[int, Item], what: tuple[int, int, bool, list[Item]]
) -> tuple[SortedItems[Item], dict[int, Item]]:
    low, width, is_open, given_items = what
    high = None if is_open else low + width
    inside = {k: (k, v) for k, v in given_items if low <= k and (high is None or k < high)}
    outside = {k: v for k, v in model.items() if k < low or (high is not None and k >= high)}
    return value.replaced(low, high, [inside[k] for k in sorted(inside)]), outside | inside


def check(value: SortedItems[Item], model: dict[int, Item]) -> None:
    wanted = [model[k] for k in sorted(model)]
    assert [*value] == wanted
    assert [*reversed(value)] == wanted[::-1]
    assert len(value) == len(wanted)
    assert value == SortedItems(key, wanted)
    assert hash(value) == hash(SortedItems(key, wanted))
    assert value.first == (wanted[0] if wanted else None)
    for k in (*range(0, 3 * CHUNK, 37), *[*model][:5]):
        assert value.find(k) == model.get(k)
        assert value.since(k) == [item for item in wanted if key(item) >= k]
    for at in (*range(-len(wanted), len(wanted), 29), -1, 0):
        if wanted:
            assert value[at] == wanted[at]
    assert value[1:7:2] == tuple(wanted[1:7:2])
    for at in (len(wanted), -len(wanted) - 1):
        with pytest.raises(IndexError):
            value[at]


@given(starts, changes)
def test_a_sequence_is_a_sorted_dictionary(start: list[Item], steps: list[Any]) -> None:
    value, model = SortedItems(key, start), {k: (k, v) for k, v in start}
    check(value, model)
    for what, argument in steps:
        before, was = value, (*value,)
        if what == "put":
            value, model = value.put(argument), model | {argument[0]: argument}
        elif what == "without":
            value, model = (
                value.without(argument),
                {k: v for k, v in model.items() if k != argument},
            )
        else:
            value, model = replaced(value, model, argument)
        assert (*before,) == was
        held = {key(item): item for item in was}
        changed = [item for item in value if held.get(key(item)) is not item]
        assert [*map(id, value.changed(before))] == [*map(id, changed)]
    check(value, model)


def test_what_is_not_there_is_not_removed() -> None:
    value = SortedItems(key, [(1, "a"), (3, "a")])
    assert value.without(2) is value
    assert value.without(4) is value


@pytest.mark.parametrize("at", [0, LONG // 2, 2 * LONG])
def test_a_change_of_a_long_sequence_touches_one_chunk(at: int) -> None:
    """Otherwise each message would cost as much as all that are loaded."""
    looked_at: list[int] = []

    def counting(item: Item) -> int:
        looked_at.append(item[0])
        return item[0]

    before = SortedItems(counting, [(2 * number, "a") for number in range(LONG)])
    looked_at.clear()
    after = before.put((at, "new"))
    assert len(looked_at) < 40
    looked_at.clear()
    assert after.changed(before) == [(at, "new")]
    # A chunk, each of whose items is looked for; the others are shared.
    assert len(looked_at) < 20 * CHUNK


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers())), st.booleans())
def test_a_map_is_a_dictionary(pairs: list[tuple[str, int]], is_one_by_one: bool) -> None:
    empty = IdMap[int]()
    value = empty if is_one_by_one else empty.put_all(pairs)
    for id, number in pairs if is_one_by_one else ():
        before, was = value, value.get(id)
        value = value.put(id, number)
        assert before.get(id) == was
    model = dict(pairs)
    for id in "abcdefghx":
        assert value.get(id) == model.get(id)
        assert empty.get(id) is None


def test_a_map_with_many_keys() -> None:
    pairs = [(f"id {number}", number) for number in range(LONG)]
    value = IdMap[int]().put_all(pairs)
    after = value.put_all([("id 7", 0)])
    assert [value.get(id) for id, _ in pairs] == [number for _, number in pairs]
    assert after.get("id 7") == 0
    assert value.get("id 7") == 7
