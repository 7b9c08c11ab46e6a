"""Whatever happens, and in whichever order it is heard of: a state is what the server has.

What must hold at every step is checked by `random_schedules`; what must hold at the end, here.
"""

from __future__ import annotations

import random
from typing import Any

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from poolse import Message
from poolse._state.conversation_reducer import RECOUNT_AFTER
from poolse._state.inputs import Joined
from poolse._state.live_conversation import older_page
from tests.state.random_schedules import Client, Plan, Run

LONG = 10_000

CALM: dict[str, list[Any]] = {
    "steps": [20, 150, 400],
    "history": [0, 3, 15, 40],
    "page_size": [3, 5, 8],
    "cap": [2, 5, 100],
    "failures": [0.0, 0.0, 0.2],
    "skew": [0.0, -3600.0, 3600.0],
    "echoes_reads": [True, False],
}
WILD: dict[str, list[Any]] = CALM | {
    "refreshed": [4, 10, 200],
    "lost": [0.0, 0.1, 0.4],
    "doubled": [0.0, 0.1, 0.4],
    "overtaken": [0.0, 0.1, 0.4],
    "drops": [0.0, 0.1, 0.4],
}


def plans(choices: dict[str, list[Any]]) -> st.SearchStrategy[Plan]:
    fields = {name: st.sampled_from(values) for name, values in choices.items()}
    return st.builds(Plan, seed=st.integers(0, 2**32), **fields)


def random_plan(choices: dict[str, list[Any]], seed: int) -> Plan:
    chosen = random.Random(seed)
    fields = {name: chosen.choice(values) for name, values in choices.items()}
    return Plan(seed=seed, **fields)


def judge_wild(run: Run) -> None:
    """After all was lost that could be, and one refresh, what is not stale is what is there."""
    run.settle()
    for client in run.clients:
        if not client.state.join:
            client.apply(Joined())
        run.finish(client, client.refresh(is_strict=True))
        assert client.state.snapshot.status == "live"
        judge_messages(client)
        judge_threads(client)
        judge_members(client)
        judge_rest(run, client)


def judge_rest(run: Run, client: Client) -> None:
    """Nothing was missed after it, and the older messages can be read."""
    before = client.state.snapshot
    run.finish(client, client.refresh(is_strict=False))
    after = client.state.snapshot
    assert after.stale_before <= before.stale_before
    current = [item for item in before.messages.stored if not before.is_stale(item)]
    assert [*map(id, after.messages.stored.since(before.stale_before))] == [*map(id, current)]
    for _ in range(len(client.server.roots) + 2):
        if older_page(client.state, run.plan.page_size) is None:
            break
        run.finish(client, client.load_older())
        judge_messages(client)
    assert older_page(client.state, run.plan.page_size) is None
    assert [item.id for item in client.state.snapshot.messages.stored] == client.server.roots


def judge_messages(client: Client) -> None:
    snapshot = client.state.snapshot
    current = [item for item in snapshot.messages.stored if not snapshot.is_stale(item)]
    newest = client.server.page(None, len(current))[: len(current)]
    wanted = (
        [client.server.row(id) for id in client.server.roots[-len(current) :]] if current else []
    )
    assert len(newest) <= len(wanted)
    assert [item.stored for item in current] == wanted
    assert [item.message for item in current] == wanted


def judge_threads(client: Client) -> None:
    for root_id, shown in client.state.snapshot.threads.items():
        assert [item.message for item in shown.stored] == client.server.replies(root_id)


def judge_members(client: Client) -> None:
    assert [*client.state.snapshot.members] == client.server.members()


def judge_calm(run: Run) -> None:
    """If nothing was lost, no refresh is needed to know what is there."""
    for client in run.clients:
        snapshot = client.state.snapshot
        if snapshot.status != "live":
            # The first refresh failed: there was no other.
            continue
        is_recounted = client.state.refresh_at <= run.now + RECOUNT_AFTER
        judge_calm_messages(client, is_recounted)
        for root_id, shown in snapshot.threads.items():
            held = [as_told(item.message) for item in shown.stored]
            wanted = [as_told(row) for row in client.server.replies(root_id)]
            assert held == wanted
        judge_calm_members(run, client)
        if is_recounted:
            run.finish(client, client.refresh(is_strict=False))
            judge_messages(client)


def judge_calm_messages(client: Client, is_recounted: bool) -> None:
    held = [as_told(item.message) for item in client.state.snapshot.messages.stored]
    roots = client.server.roots[-len(held) :] if held else []
    wanted = [as_told(client.server.row(id)) for id in roots]
    if is_recounted:
        held = [attrs.evolve(row, reply_count=0) for row in held]
        wanted = [attrs.evolve(row, reply_count=0) for row in wanted]
    assert held == wanted


def judge_calm_members(run: Run, client: Client) -> None:
    for member, row in zip(client.state.snapshot.members, client.server.members(), strict=True):
        if run.plan.echoes_reads or member.user_id != client.user:
            assert member.last_read_message_id == row.last_read_message_id
            assert member.last_read_at == row.last_read_at


def as_told(row: Message) -> Message:
    """Return a message as far as events tell: not the order in which users reacted.

    Nor when a deletion was written down, nor of an edit before it, if the user's own deletion
    overtakes it.
    """
    reactions = {emoji: sorted(users) for emoji, users in row.reactions.items()}
    row = attrs.evolve(row, reactions=reactions)
    if row.deleted_at is None:
        return row
    return attrs.evolve(row, updated_at=row.deleted_at, edited_at=None)


@settings(max_examples=150)
@given(plans(WILD))
def test_after_a_refresh_all_that_is_not_stale_is_what_the_server_has(plan: Plan) -> None:
    judge_wild(Run(plan).go())


A_MARK_BEYOND_AN_OWN_ONE = Plan(
    seed=78812144,
    steps=150,
    history=15,
    page_size=3,
    cap=5,
    failures=0.0,
    skew=0.0,
    echoes_reads=True,
)


@settings(max_examples=150)
@given(plans(CALM))
@example(A_MARK_BEYOND_AN_OWN_ONE)
def test_without_losses_all_is_what_the_server_has(plan: Plan) -> None:
    run = Run(plan).go()
    judge_calm(run)
    judge_wild(run)


@pytest.mark.soak
def test_ten_thousand_schedules() -> None:
    for seed in range(LONG // 2):
        judge_wild(Run(random_plan(WILD, seed)).go())
        run = Run(random_plan(CALM, seed)).go()
        judge_calm(run)
        judge_wild(run)
