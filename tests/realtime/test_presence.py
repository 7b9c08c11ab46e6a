"""Presence against what the official client did, and against a server that keeps the truth."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poolse._realtime.presence import Changes, Join, Presence
from tests.realtime.phoenix_js_policy import OFFICIAL

SEQUENCES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "conformance" / "presence-vectors.json").read_text("utf-8")
)["sequences"]


def sequences(*, stale: bool) -> pytest.MarkDecorator:
    chosen = [s for s in SEQUENCES if ("stale_pending" in s["tags"]) == stale]
    return pytest.mark.parametrize("sequence", [pytest.param(s, id=s["name"]) for s in chosen])


def users(**named: str) -> dict[str, Any]:
    """`users(ann="A B")`: ann with two metas."""
    return {
        key: {"metas": [{"phx_ref": ref} for ref in value.split()]} for key, value in named.items()
    }


def calls_of(changes: Changes) -> list[list[Any]]:
    """The changes as the callbacks that the official client makes."""
    calls: list[list[Any]] = []
    for step in changes.steps:
        if isinstance(step, Join):
            calls.append(["join", step.key, step.current, step.new])
        else:
            calls.append(["leave", step.key, step.current, step.left])
    return calls + [["sync"]] * changes.synced


@attrs.define
class Player:
    """Plays the steps of a sequence."""

    tell_lost: bool
    presence: Presence = attrs.field(factory=Presence)
    join_ref: str | None = None

    def play(self, step: dict[str, Any]) -> list[list[Any]]:
        match step["op"]:
            case "join":
                self.join_ref = step["join_ref"]
                if self.tell_lost:
                    self.presence.lost()
                    assert not self.presence.is_synced
                return []
            case "state":
                return calls_of(self.presence.state(step["payload"], self.join_ref))
            case _:
                return calls_of(self.presence.diff(step["payload"], self.join_ref))


def in_any_order(calls: list[list[Any]]) -> list[str]:
    return sorted(json.dumps(call, sort_keys=True) for call in calls)


def replay(player: Player, sequence: dict[str, Any]) -> None:
    for step in copy.deepcopy(sequence["steps"]):
        calls = player.play(step)
        if "unordered" in sequence["tags"]:
            assert in_any_order(calls) == in_any_order(step["calls"])
        else:
            assert calls == step["calls"]
        assert player.presence.snapshot == step["state"]
        assert player.presence.pending == step["pending"]
    assert player.presence.dropped == 0


@pytest.mark.parametrize("tell_lost", [False, True])
@sequences(stale=False)
def test_as_the_official_client(sequence: dict[str, Any], tell_lost: bool) -> None:
    replay(Player(tell_lost), sequence)


@pytest.mark.parametrize("tell_lost", [False, True])
@sequences(stale=True)
def test_as_the_official_client_with_its_ghosts(sequence: dict[str, Any], tell_lost: bool) -> None:
    stale_dropped = OFFICIAL.policy.stale_diffs_dropped
    replay(Player(tell_lost, Presence(drops_stale=stale_dropped)), sequence)


@pytest.mark.parametrize("tell_lost", [False, True])
@sequences(stale=True)
def test_diffs_of_an_earlier_join_are_dropped(sequence: dict[str, Any], tell_lost: bool) -> None:
    player = Player(tell_lost)
    for step in copy.deepcopy(sequence["steps"]):
        player.play(step)
    assert player.presence.snapshot == sequence["final_state_if_stale_pending_dropped"]
    assert player.presence.pending == 0


def test_is_synced_only_between_a_state_and_the_loss_of_its_join() -> None:
    presence = Presence()
    assert not presence.is_synced
    assert not presence.diff({"joins": users(ann="A"), "leaves": {}}, "1").synced
    assert not presence.is_synced
    assert presence.state(users(ann="A"), "1").synced
    assert presence.is_synced
    presence.lost()
    assert not presence.is_synced
    assert presence.snapshot == users(ann="A")
    presence.state({}, "2")
    assert presence.is_synced
    presence.diff({"joins": users(bob="B"), "leaves": {}}, "3")
    assert not presence.is_synced


def test_a_user_is_gone_with_the_last_device() -> None:
    presence = Presence()
    presence.state(users(ann="phone web"), "1")
    presence.diff({"joins": {}, "leaves": users(ann="phone")}, "1")
    assert presence.snapshot == users(ann="web")
    presence.diff({"joins": {}, "leaves": users(ann="web")}, "1")
    assert presence.snapshot == {}


def scribble(entry: dict[str, Any] | None) -> None:
    metas: list[dict[str, Any]] = entry["metas"] if entry else []
    for meta in metas:
        meta["phx_ref"] = "scribbled"


def test_nobody_outside_holds_a_part_of_it() -> None:
    state, bob, cyd = users(ann="A A2"), users(bob="B"), users(cyd="C")
    presence = Presence()
    changes = [
        presence.state(state, "1"),
        presence.diff({"joins": bob, "leaves": users(ann="A2")}, "1"),
        presence.diff({"joins": users(bob="B2"), "leaves": {}}, "1"),
        presence.diff({"joins": cyd, "leaves": {}}, "2"),
    ]
    taken: Any = presence.snapshot
    for entry in (state["ann"], bob["bob"], cyd["cyd"], taken["ann"], taken["bob"]):
        scribble(entry)
    for step in (step for change in changes for step in change.steps):
        scribble(step.current)
        scribble(step.new if isinstance(step, Join) else step.left)
    assert presence.snapshot == users(ann="A", bob="B B2")
    presence.state(users(ann="A", bob="B B2"), "2")
    assert presence.snapshot == users(ann="A", bob="B B2", cyd="C")


def too_deep() -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(900):
        value = {"x": value}
    return {"ann": {"metas": [], "more": value}}


MALFORMED_USERS: list[object] = [
    None,
    7,
    "metas",
    [],
    {},
    {"metas": None},
    {"metas": {"phx_ref": "A"}},
    {"metas": ["A"]},
    {"metas": [{}]},
    {"metas": [{"phx_ref": 7}]},
    {"metas": [{"phx_ref": "A"}, None]},
]
MALFORMED_PAYLOADS: list[object] = [None, 7, "x", [], b"\x00", too_deep()]


@pytest.mark.parametrize("user", MALFORMED_USERS, ids=str)
def test_a_malformed_user_is_dropped_and_counted_alone(user: object) -> None:
    presence = Presence()
    presence.state({"odd": user, **users(ann="A")}, "1")
    presence.diff({"joins": {"odd": user, **users(bob="B")}, "leaves": {"ann": user}}, "1")
    assert presence.snapshot == users(ann="A", bob="B")
    assert presence.dropped == 3


@pytest.mark.parametrize("payload", MALFORMED_PAYLOADS, ids=lambda payload: type(payload).__name__)
def test_a_malformed_payload_is_dropped_and_counted(payload: object) -> None:
    presence = Presence()
    presence.state(users(ann="A"), "1")
    assert presence.state(payload, "2") == Changes()
    assert presence.diff(payload, "1") == Changes()
    assert presence.dropped == 2
    presence.diff({"joins": payload, "leaves": users(ann="A")}, "1")
    assert presence.dropped == 3


def test_half_a_diff_is_a_diff() -> None:
    presence = Presence()
    presence.state(users(ann="A"), "1")
    presence.diff({"joins": users(bob="B")}, "1")
    presence.diff({"leaves": users(ann="A")}, "1")
    assert presence.snapshot == users(bob="B")
    assert presence.dropped == 0


def test_of_too_many_waiting_diffs_the_oldest_go() -> None:
    presence = Presence(max_pending=3)
    for name in "abcde":
        presence.diff({"joins": users(**{name: name.upper()}), "leaves": {}}, "1")
    assert presence.pending == 3
    assert presence.dropped == 2
    presence.state({}, "1")
    assert presence.snapshot == users(c="C", d="D", e="E")


Set = dict[str, set[str]]


@attrs.define
class Server:
    """Tracks who is there and logs a diff for each change. A ref is never used twice."""

    there: Set = attrs.field(factory=dict[str, set[str]])
    refs: int = 0

    def change(self, user: str, what: str) -> dict[str, Any]:
        held = self.there.setdefault(user, set())
        joins: Set = {}
        leaves: Set = {}
        if what != "join" and held:
            leaves = {user: {held.pop()}}
        if what != "leave":
            self.refs += 1
            joins = {user: {f"R{self.refs}"}}
            held |= joins[user]
        if not held:
            del self.there[user]
        return {"joins": as_payload(joins), "leaves": as_payload(leaves)}


def as_payload(people: Set) -> dict[str, Any]:
    return {
        user: {"metas": [{"phx_ref": ref} for ref in sorted(held)]} for user, held in people.items()
    }


def seen_in(presence: Presence) -> Set:
    seen: Any = presence.snapshot
    return {user: {meta["phx_ref"] for meta in entry["metas"]} for user, entry in seen.items()}


steps = st.lists(
    st.tuples(st.sampled_from(["ann", "bob", "cyd"]), st.sampled_from(["join", "leave", "update"])),
    max_size=12,
)


@given(st.lists(st.tuples(steps, steps, steps, st.integers(0, 36)), min_size=1, max_size=3))
@settings(deadline=None)
def test_ends_with_the_set_of_the_server(
    joins: list[tuple[list[Any], list[Any], list[Any], int]],
) -> None:
    """For each join: changes that this client misses, then some before the server takes the state
    and some after it, with the state arriving anywhere among their diffs."""
    server, presence = Server(), Presence()
    for number, (missed, before, after, arrives) in enumerate(joins):
        join_ref = str(number)
        presence.lost()
        for change in missed:
            server.change(*change)
        diffs = [server.change(*change) for change in before]
        state = as_payload(server.there)
        diffs += [server.change(*change) for change in after]
        arrives = min(arrives, len(diffs))
        for diff in diffs[:arrives]:
            presence.diff(diff, join_ref)
        presence.state(state, join_ref)
        for diff in diffs[arrives:]:
            presence.diff(diff, join_ref)
        assert seen_in(presence) == server.there


@given(st.lists(st.tuples(steps, st.integers(0, 12)), min_size=2, max_size=4))
@settings(deadline=None)
def test_a_join_that_ends_before_its_state_leaves_no_ghosts(
    joins: list[tuple[list[Any], int]],
) -> None:
    """Rejoins without a word of the loss: only the join_ref tells."""
    server, presence = Server(), Presence()
    for number, (changes, heard) in enumerate(joins):
        for diff in [server.change(*change) for change in changes][:heard]:
            presence.diff(diff, str(number))
    presence.state(as_payload(server.there), "last")
    assert seen_in(presence) == server.there
