"""Broadcasts that are lost, come twice or are overtaken, and pages that are shorter than asked."""

from __future__ import annotations

import pytest

from poolse.testing import Sandbox
from tests.sandbox.raw_clients import Phone, User


@pytest.fixture
def talk(alice: User, bob: User) -> str:
    """Id of a group of alice and bob."""
    return alice.conversation("bob")


@pytest.fixture
def phone(bob: User, talk: str) -> Phone:
    """A socket of bob that listens to it."""
    phone = bob.phone()
    phone.join(f"conversation:{talk}")
    return phone


def heard(phone: Phone, count: int) -> list[int]:
    return [phone.hear()[4]["sequence"] for _ in range(count)]


def test_lost(sandbox: Sandbox, alice: User, phone: Phone, talk: str) -> None:
    sandbox.faults.disturb_broadcasts(lost=1.0)
    alice.send(talk, body="x")
    assert phone.heartbeat("1")
    phone.assert_quiet()
    sandbox.faults.clear()
    alice.send(talk, body="x")
    assert heard(phone, 1) == [2]


def test_doubled(sandbox: Sandbox, alice: User, phone: Phone, talk: str) -> None:
    sandbox.faults.disturb_broadcasts(doubled=1.0)
    alice.send(talk, body="x")
    assert heard(phone, 2) == [1, 1]


def test_overtaken(sandbox: Sandbox, alice: User, phone: Phone, talk: str) -> None:
    sandbox.faults.disturb_broadcasts(delayed=1.0, seconds=1.0, seed=1)
    for _ in range(20):
        alice.send(talk, body="x")
    numbers = heard(phone, 20)
    assert numbers != sorted(numbers)
    assert sorted(numbers) == list(range(1, 21))


def test_the_same_seed_loses_the_same(
    sandbox: Sandbox, alice: User, phone: Phone, talk: str
) -> None:
    found: list[set[int]] = []
    for _ in range(2):
        sandbox.faults.disturb_broadcasts(lost=0.5, seed=7)
        sent = [alice.send(talk, body="x")["sequence"] for _ in range(10)]
        sandbox.faults.clear()
        last = alice.send(talk, body="x")["sequence"]
        numbers = heard(phone, 1)
        while numbers[-1] != last:
            numbers += heard(phone, 1)
        found.append({number - sent[0] for number in numbers})
    assert found[0] == found[1]
    assert 0 < len(found[0]) < 11


def test_pages_hold_less(sandbox: Sandbox, alice: User, talk: str) -> None:
    root = alice.send(talk, body="x")
    for _ in range(4):
        alice.send(talk, body="x")
    for _ in range(3):
        alice.send(talk, body="y", reply_to_id=root["id"])
    sandbox.faults.cap_pages(2)
    assert [row["sequence"] for row in alice.page(talk)] == [5, 4]
    assert [row["sequence"] for row in alice.page(talk, limit=100, before=4)] == [3, 2]
    assert [row["sequence"] for row in alice.page(talk, limit=1)] == [5]
    replies = alice.ask("GET", f"/messages/{root['id']}/replies").json()["data"]
    assert len(replies) == 2
    assert alice.http.get(f"/v1/conversations/{talk}/messages?limit=x").status_code == 422
    sandbox.faults.clear()
    assert len(alice.page(talk)) == 5
