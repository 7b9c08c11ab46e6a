"""Reactions: a set for each emoji."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.sandbox.raw_clients import NewUser, User, complaints_of, error_of
from tests.sandbox.test_sandbox_messages import NOBODY

EMOJIS = ["👍", "👩‍👩‍👧", "❤️", ":party:", "a/b", "%2F", "?x=1", "#", "..", " ", "a b", "+"]


@pytest.fixture
def message(alice: User, bob: User) -> dict[str, Any]:
    """A message in a conversation of alice and bob."""
    return alice.send(alice.conversation("bob"), body="react!")


def react(user: User, message_id: str, emoji: object) -> httpx.Response:
    return user.ask("POST", f"/messages/{message_id}/reactions", emoji=emoji)


def take_back(user: User, message_id: str, emoji: str) -> httpx.Response:
    segment = "%2E%2E" if emoji == ".." else quote(emoji, safe="")
    url = httpx.URL(
        user.http.base_url,
        raw_path=b"/v1/messages/%b/reactions/%b" % (message_id.encode(), segment.encode()),
    )
    return user.http.delete(url)


def test_a_reaction_is_in_the_row(alice: User, bob: User, message: dict[str, Any]) -> None:
    first = react(bob, message["id"].upper(), "🎉")
    assert (first.status_code, first.json()) == (201, {**message, "reactions": {"🎉": [bob.id]}})
    react(alice, message["id"], "👍")
    last = react(alice, message["id"], "🎉")
    wanted = {"🎉": [bob.id, alice.id], "👍": [alice.id]}
    assert last.json()["reactions"] == wanted
    assert list(last.json()["reactions"]) == list(wanted)
    assert alice.page(message["conversation_id"]) == [last.json()]


def test_twice_is_once(bob: User, message: dict[str, Any]) -> None:
    first, again = (react(bob, message["id"], "👍") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()


@pytest.mark.parametrize("emoji", EMOJIS[:9] + EMOJIS[10:])
def test_it_can_be_taken_back(alice: User, bob: User, message: dict[str, Any], emoji: str) -> None:
    react(alice, message["id"], emoji)
    react(bob, message["id"], emoji)
    answer = take_back(bob, message["id"], emoji)
    assert (answer.status_code, answer.json()["reactions"]) == (200, {emoji: [alice.id]})
    assert take_back(alice, message["id"], emoji).json()["reactions"] == {}


@pytest.mark.parametrize("emoji", EMOJIS)
def test_what_is_not_there_is_taken_back_too(
    alice: User, bob: User, message: dict[str, Any], emoji: str
) -> None:
    react(alice, message["id"], "👎")
    answer = take_back(bob, message["id"], emoji)
    assert (answer.status_code, answer.json()["reactions"]) == (200, {"👎": [alice.id]})


@pytest.mark.parametrize("emoji", ["", " ", None, 7, "x" * 65])
def test_what_is_no_emoji_is_422(bob: User, message: dict[str, Any], emoji: object) -> None:
    assert complaints_of(react(bob, message["id"], emoji)) == {"emoji"}


def test_a_path_without_an_emoji_is_none(bob: User, message: dict[str, Any]) -> None:
    for segment in ("", "%FF"):
        answer = bob.http.delete(f"/v1/messages/{message['id']}/reactions/{segment}")
        assert error_of(answer) == (404, "not_found")


def test_a_deleted_message_takes_none(alice: User, bob: User, message: dict[str, Any]) -> None:
    react(bob, message["id"], "👍")
    alice.ask("DELETE", f"/messages/{message['id']}")
    assert error_of(react(bob, message["id"], "👎")) == (410, "message_deleted")
    assert error_of(take_back(bob, message["id"], "👍")) == (410, "message_deleted")
    assert bob.page(message["conversation_id"])[0]["reactions"] == {"👍": [bob.id]}


def test_only_members_react(new_user: NewUser, message: dict[str, Any]) -> None:
    eve = new_user("eve")
    for message_id, error in ((message["id"], (403, "forbidden")), (NOBODY, (404, "not_found"))):
        assert error_of(react(eve, message_id, "👍")) == error
        assert error_of(take_back(eve, message_id, "👍")) == error
