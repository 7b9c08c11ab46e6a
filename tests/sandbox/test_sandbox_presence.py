"""Presence and typing."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from poolse.sandbox.rules import TYPING_WINDOW
from poolse.testing import Sandbox
from tests.sandbox.raw_clients import Frame, Phone, User, users_of


@pytest.fixture
def topic(alice: User, bob: User) -> str:
    """Topic of a conversation of alice and bob."""
    return f"conversation:{alice.conversation('bob')}"


def metas(part: dict[str, Any], user: User) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = part[user.id]["metas"]
    return found


def diff_of(frame: Frame, topic: str) -> dict[str, Any]:
    assert frame[:4] == [None, None, topic, "presence_diff"]
    assert set(frame[4]) == {"joins", "leaves"}
    diff: dict[str, Any] = frame[4]
    return diff


def test_a_meta_says_who_and_since_when(alice: User, topic: str) -> None:
    before = int(time.time())
    (meta,) = metas(alice.phone().join(topic)[4], alice)
    assert set(meta) == {"external_id", "online_at", "phx_ref"}
    assert meta["external_id"] == "alice"
    assert before <= meta["online_at"] <= time.time()
    assert re.fullmatch("[A-Za-z0-9_-]{16}", meta["phx_ref"])


def test_everybody_hears_of_arrivals_and_departures(alice: User, bob: User, topic: str) -> None:
    alices, bobs = alice.phone(), bob.phone()
    state = alices.join(topic)[4]
    everybody = bobs.join(topic)[4]
    joined = diff_of(alices.hear(), topic)
    assert joined["leaves"] == {}
    assert {**state, **joined["joins"]} == everybody
    bobs.send("1", "2", topic, "phx_leave", {})
    assert diff_of(alices.hear(), topic) == {"joins": {}, "leaves": joined["joins"]}


def test_sessions_of_one_user_are_several_metas(alice: User, bob: User, topic: str) -> None:
    bobs, first, second = bob.phone(), alice.phone(), alice.phone()
    bobs.join(topic)
    (one,) = metas(first.join(topic)[4], alice)
    both = metas(second.join(topic)[4], alice)
    two = both[1]
    assert both == [one, two]
    assert one["phx_ref"] != two["phx_ref"]
    assert metas(diff_of(bobs.hear(), topic)["joins"], alice) == [one]
    assert metas(diff_of(bobs.hear(), topic)["joins"], alice) == [two]
    first.hang_up()
    assert metas(diff_of(bobs.hear(), topic)["leaves"], alice) == [one]
    second.wire.socket.close()
    assert metas(diff_of(bobs.hear(), topic)["leaves"], alice) == [two]


def test_a_second_join_is_a_new_session_to_others(alice: User, bob: User, topic: str) -> None:
    alices, bobs = alice.phone(), bob.phone()
    bobs.join(topic)
    alices.join(topic, "1")
    old = diff_of(bobs.hear(), topic)["joins"]
    alices.send("2", "2", topic, "phx_join", {})
    assert diff_of(bobs.hear(), topic) == {"joins": {}, "leaves": old}
    new = diff_of(bobs.hear(), topic)["joins"]
    assert metas(new, alice)[0]["phx_ref"] != metas(old, alice)[0]["phx_ref"]


@pytest.fixture
def brief() -> Iterator[Sandbox]:
    """A sandbox where typing is over soon."""
    with Sandbox(typing_timeout=0.05) as sandbox:
        yield sandbox


def meet(*users: User) -> tuple[str, list[Phone]]:
    """Let users join a conversation of theirs, one socket each, with nothing left to hear."""
    names = {user.id: user for user in users}
    others = [user.http.get("/v1/me").json()["external_id"] for user in names.values()]
    topic = f"conversation:{users[0].conversation(*others)}"
    phones = [user.phone() for user in users]
    for number, phone in enumerate(phones):
        phone.join(topic)
        for earlier in phones[:number]:
            assert earlier.hear()[3] == "presence_diff"
    return topic, phones


def test_typing_is_told_to_the_others_and_ends(brief: Sandbox) -> None:
    with users_of(brief) as new_user:
        alice, bob = new_user("alice"), new_user("bob")
        topic, (mine, mine_too, theirs) = meet(alice, alice, bob)
        mine.wire.send(f'["1","2","{topic}","typing",{{}}]')
        mine.send("1", "2", topic, "typing", {})
        said = f'{{"user_id":"{alice.id}","external_id":"alice"}}'
        assert theirs.hear_text().startswith(f'[null,null,"{topic}","typing:start",{said}')
        assert theirs.hear_text().startswith(f'[null,null,"{topic}","typing:stop",{said}')
        mine.assert_quiet()
        mine_too.assert_quiet()
        mine.send("1", "3", topic, "typing", {})
        assert [theirs.hear()[3], theirs.hear()[3]] == ["typing:start", "typing:stop"]


def test_typing_is_told_again_while_it_goes_on(alice: User, bob: User) -> None:
    """The official user interface stops showing it 4 s after the last `typing:start`."""
    topic, (mine, theirs) = meet(alice, bob)
    heard: list[str] = []
    began = time.monotonic()
    while len(heard) < 3:
        assert time.monotonic() - began < 30, heard
        mine.send("1", "2", topic, "typing", {})
        mine.assert_quiet()
        with suppress(TimeoutError):
            heard.append(json.loads(theirs.wire.recv(timeout=0.05))[3])
    assert heard == ["typing:start"] * 3
    assert time.monotonic() - began >= TYPING_WINDOW * 2
    assert TYPING_WINDOW + 0.5 < 4


def test_typing_again_is_told_once(alice: User, bob: User) -> None:
    topic, (mine, theirs) = meet(alice, bob)
    for ref in ("2", "3", "4"):
        mine.send("1", ref, topic, "typing", {})
    mine.assert_quiet()
    assert theirs.hear()[3] == "typing:start"
    theirs.assert_quiet()


def test_two_users_type_at_once(alice: User, bob: User) -> None:
    topic, (mine, theirs) = meet(alice, bob)
    mine.send("1", "2", topic, "typing", {})
    theirs.send("1", "2", topic, "typing", {})
    for phone, other in ((mine, bob), (theirs, alice)):
        event, payload = phone.hear()[3:]
        assert (event, payload["user_id"]) == ("typing:start", other.id)
