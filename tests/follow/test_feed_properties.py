"""Whatever the server, the network and the consumer do: P1 to P14 of a feed.

P1, P2, P7, P9 and P10 are checked while a schedule runs, in `random_schedules`; the others at its
end. P11 is a matter of the loop: see test_feed_loop_properties. P12 is about a view that keeps up
with edits and deletions: a feed has none, and docs/follow.md says so.
"""

from __future__ import annotations

import random
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.follow.random_schedules import Plan, Run, run

LONG = 10_000

CHOICES: dict[str, list[Any]] = {
    "limit": [2, 3, 5, 20],
    "cap": [1, 2, 3, 100],
    "buffer": [2, 8, 50],
    "history": [0, 5, 80],
    "posts": [1, 20, 120],
    "replies": [0.0, 0.3, 0.7],
    "rollbacks": [0.0, 0.1],
    "lost": [0.0, 0.1, 0.4],
    "doubled": [0.0, 0.1, 0.4],
    "slow_commits": [0.0, 1.5],
    "drops": [0, 2, 12],
    "away": [6.0, 6.0, 40.0],
    "failures": [0.0, 0.1, 0.4],
    "deletes": [0, 0, 20],
    "crashes": [0, 1, 4],
    "pace": [0.0, 0.0, 0.2],
    "start": [0, 0, 10, None],
    "outage": [0.0, 0.0, 40.0],
}

PLANS = st.builds(
    Plan,
    seed=st.integers(0, 2**32),
    **{name: st.sampled_from(values) for name, values in CHOICES.items()},
)


def delivered(played: Run) -> list[int]:
    """Numbers of the list's rows in the order in which they came first."""
    rows = [given.message for process in played.processes for given in process.rows]
    return list(dict.fromkeys(row.sequence for row in rows if row.listed))


def skipped_in(played: Run) -> set[int]:
    """Numbers that were said to be skipped."""
    gaps = [gap for process in played.processes for gap in process.gaps if gap.skipped]
    return {number for gap in gaps for number in range(gap.first, gap.last + 1)}


def judge(played: Run) -> None:
    begin = played.processes[0].start
    assert begin is not None
    skipped = skipped_in(played)
    listed = [
        n
        for n, row in sorted(played.committed.items())
        if row.listed and n > begin and n not in skipped
    ]
    got = delivered(played)
    # P3: all of them, over drops and restarts, in order, and nothing that never was.
    assert set(listed) <= set(got)
    assert set(got) <= {*listed, *played.deleted, *skipped}
    assert got == sorted(got)
    judge_memory(played)
    for process in played.processes:
        # P5 and P6: a restart begins after what was saved, and that was handled.
        assert process.start is not None
        assert all(given.message.sequence > process.start for given in process.rows)
        # P8: the grace was long enough, so nothing was given up that came later.
        assert not [given for given in process.rows if given.late and given.message.listed]
    # P7
    assert played.feed.is_live is played.plan.realtime


def judge_memory(played: Run) -> None:
    """P4."""
    plan = played.plan
    assert played.peak <= 2 * plan.buffer + 2 * 4 * plan.limit + 2


@given(PLANS)
def test_every_row_comes_once_and_in_order(plan: Plan) -> None:
    judge(run(plan))


@given(PLANS, PLANS)
def test_what_is_delivered_follows_from_the_log_alone(plan: Plan, other: Plan) -> None:
    """P14: the same log, through other pages, buffers and losses."""
    same: dict[str, Any] = {
        "deletes": 0,
        "start": 0,
        "slow_commits": 0.0,
        "rollbacks": 0.0,
        "replies": 0.0,
    }
    one = run(attrs.evolve(plan, **same))
    two = run(attrs.evolve(other, **same, history=plan.history, posts=plan.posts))
    assert delivered(one) == delivered(two)


@given(PLANS, st.integers(0, 40))
def test_what_is_skipped_is_reported(plan: Plan, most: int) -> None:
    """P10, with a bound: all that does not come is told, and of what was missed the last comes."""
    assert skipped_in(run(plan)) == set()
    judge(run(attrs.evolve(plan, backfill=most, deletes=0)))


@given(PLANS)
def test_a_long_outage_of_the_list_is_reported_and_nothing_is_lost(plan: Plan) -> None:
    """P13: the order of what is handed out is checked all the while."""
    played = run(attrs.evolve(plan, outage=120.0, failures=0.0, crashes=0, start=0))
    judge(played)
    assert played.stalled == 1


@given(PLANS)
def test_without_realtime_the_list_shows_everything(plan: Plan) -> None:
    played = run(attrs.evolve(plan, realtime=False, deletes=0))
    judge(played)
    assert played.asked_while_down == played.requests > 0


@given(PLANS)
def test_rows_that_come_later_than_any_grace_come_once_and_say_so(plan: Plan) -> None:
    played = run(attrs.evolve(plan, slow_commits=8.0, crashes=0))
    judge_memory(played)
    prompt = [g.message.sequence for g in played.processes[0].rows if not g.late]
    assert prompt == sorted(prompt)


@pytest.mark.soak
def test_ten_thousand_schedules() -> None:
    chooser = random.Random(6)
    for seed in range(LONG):
        chosen = {name: chooser.choice(values) for name, values in CHOICES.items()}
        plan = Plan(seed=seed, **chosen)
        try:
            judge(run(plan))
        except AssertionError as error:
            raise AssertionError(f"{plan}: {error}") from error
