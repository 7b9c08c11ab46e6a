"""Thousands of messages against everything that goes wrong: no hole, no disorder, no repeat but of
what was not acknowledged, and one answer for each question."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from poolse.testing import Sandbox
from tests.follow.disturbed_bot import Chaos

FLAVOURS = pytest.mark.parametrize("flavour", ["sync", "async"])
KILLS = 5


def play(chaos: Chaos, count: int, kills: int, every: float) -> None:
    """Post, and kill the bot on the way."""
    chaos.born()
    with chaos.trouble(every, seed=1):
        posting = threading.Thread(target=chaos.post, args=(count,))
        posting.start()
        for turn in range(kills):
            chaos.wait_for(count * (turn + 1) // (kills + 2))
            chaos.kill()
            chaos.born()
        posting.join()
    bot = chaos.sandbox.user_id("bot")
    last = max(number for number, sender, _ in chaos.rows() if sender != bot)
    chaos.wait_for(last)


def judge_lives(chaos: Chaos) -> None:
    """No hole, no disorder, repeats only of what was in hand when the bot was killed."""
    bot = chaos.sandbox.user_id("bot")
    questions = [number for number, sender, _ in chaos.rows() if sender != bot]
    handed: list[int] = []
    for life in chaos.lives:
        numbers = life.numbers()
        assert numbers == sorted(set(numbers))
        if handed and numbers and numbers[0] == handed[-1]:
            numbers = numbers[1:]
        handed += numbers
    assert handed == questions


def judge_answers(chaos: Chaos) -> None:
    """Each question has one answer."""
    bot = chaos.sandbox.user_id("bot")
    rows = chaos.rows()
    wanted = [f"answer to {number}" for number, sender, _ in rows if sender != bot]
    assert sorted(str(body) for _, sender, body in rows if sender == bot) == sorted(wanted)


@FLAVOURS
@pytest.mark.parametrize("answer", [False, True], ids=["listens", "answers"])
def test_nothing_is_missed(sandbox: Sandbox, tmp_path: Path, flavour: str, answer: bool) -> None:
    chaos = Chaos(sandbox, tmp_path, flavour, answer=answer)
    try:
        play(chaos, count=300, kills=2, every=0.3)
        if answer:
            chaos.wait(lambda: len(chaos.rows()) >= 600)
    finally:
        chaos.kill()
    judge_lives(chaos)
    if answer:
        judge_answers(chaos)


@pytest.mark.soak
@FLAVOURS
@pytest.mark.parametrize("answer", [False, True], ids=["listens", "answers"])
def test_nothing_is_missed_of_ten_thousand(
    sandbox: Sandbox, tmp_path: Path, flavour: str, answer: bool
) -> None:
    chaos = Chaos(sandbox, tmp_path, flavour, answer=answer)
    try:
        play(chaos, count=10_000, kills=KILLS, every=1.0)
        if answer:
            chaos.wait(lambda: len(chaos.rows()) >= 20_000)
    finally:
        chaos.kill()
    judge_lives(chaos)
    if answer:
        judge_answers(chaos)
