"""Which ID profiles are keyed by, and which objects can be passed in its place."""

from __future__ import annotations

from typing import Any, get_args

import pytest

import poolse
from poolse import UNSET, ArgumentTypeError, UsageError, UserProfile
from poolse._json.models import Model
from poolse.testing import factories
from tests.users.sync_and_async_users import CLIENTS, result_of

BY = pytest.mark.parametrize("by", ["user_id", "external_id"])
ID = "0b5f9c5e-3c7e-4a37-9f0e-5d5a2f0d6c01"
OWN = {"user_id": ID, "external_id": "u-1"}
KINDS = {"user_id": "user", "external_id": "user.external_id"}
CLASSES: tuple[type[Model], ...] = get_args(poolse.UserLike)
"""All classes whose objects refer to a user."""


class Resolver:
    """Has a profile for each ID; remembers what it was called with."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, user_id: str) -> UserProfile:
        self.asked.append(user_id)
        return UserProfile(user_id)


def users_by(client: type, by: str) -> tuple[Any, Resolver]:
    resolver = Resolver()
    return client(token="t", user_resolver=resolver, users_by=by).users, resolver


def field_of(cls: type[Model], kind: str) -> str | None:
    return {**getattr(cls, "__ids__", {}), **cls.__refs__}.get(kind)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
@BY
@CLIENTS
def test_an_object_stands_for_its_user(client: type, by: str, cls: type[Model]) -> None:
    users, resolver = users_by(client, by)
    made: Any = getattr(factories, f"make_{_snake(cls.__name__)}")()
    field = field_of(cls, KINDS[by])
    expected = getattr(made, field) if field else None
    profile = UserProfile(expected) if expected else None
    assert result_of(users.get, made) == profile
    assert users.peek(made) == profile
    assert result_of(users.get_many, [made, made]) == ({expected: profile} if expected else {})
    assert resolver.asked == ([expected] if expected else [])


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


def test_the_spec_says_of_each_class_how_it_refers_to_a_user() -> None:
    assert {poolse.Message, poolse.QuotedMessagePreview, poolse.Membership, poolse.Me} < {*CLASSES}
    assert {poolse.TypingStart, poolse.ReactionAdded, poolse.MentionNew} < {*CLASSES}
    assert poolse.Conversation not in CLASSES
    # An event that carries a message is one.
    assert issubclass(poolse.MessageNew, poolse.Message)
    for cls in CLASSES:
        assert field_of(cls, "user") or field_of(cls, "user.external_id"), cls


@BY
@CLIENTS
def test_a_message_of_the_system_has_no_profile(client: type, by: str) -> None:
    users, resolver = users_by(client, by)
    message = factories.make_message(sender_id=None, sender_external_id=None)
    assert result_of(users.get, message) is None
    assert result_of(users.get_many, [message, OWN[by]]) == {OWN[by]: UserProfile(OWN[by])}
    assert users.peek(message) is None
    users.invalidate(message)
    heard: list[object] = []
    users.subscribe(message, heard.append)()
    assert (resolver.asked, heard) == ([OWN[by]], [])


@CLIENTS
def test_an_old_server_sends_no_external_ids(client: type) -> None:
    users, resolver = users_by(client, "external_id")
    message = factories.make_message(sender_id=ID, sender_external_id=None)
    wire = poolse.to_dict(factories.make_membership())
    del wire["external_id"]
    membership = poolse.from_dict(wire, poolse.Membership)
    assert result_of(users.get, message) is None
    assert result_of(users.get, membership) is None
    assert resolver.asked == []


@BY
@CLIENTS
def test_text_is_the_id_of_the_client_whatever_it_looks_like(client: type, by: str) -> None:
    users, resolver = users_by(client, by)
    for text in ("u-1", ID):
        assert result_of(users.get, text) == UserProfile(text)
    assert resolver.asked == ["u-1", ID]


@BY
@CLIENTS
def test_all_methods_take_objects(client: type, by: str) -> None:
    users, resolver = users_by(client, by)
    message = factories.make_message(sender_id=ID, sender_external_id="u-1")
    heard: list[object] = []
    off = users.subscribe(message, heard.append)
    result_of(users.get, factories.make_membership(user_id=ID, external_id="u-1"))
    users.invalidate(factories.make_me(id=ID, external_id="u-1"))
    off()
    result_of(users.get, message)
    assert heard == [UserProfile(OWN[by]), UNSET]
    assert resolver.asked == [OWN[by]] * 2


@CLIENTS
def test_objects_that_refer_to_no_user_are_refused(client: type) -> None:
    users, resolver = users_by(client, "external_id")
    for wrong in (factories.make_conversation(), None, 7):
        with pytest.raises(ArgumentTypeError, match="user_id must be the external ID of a user"):
            result_of(users.get, wrong)
    with pytest.raises(ArgumentTypeError, match="user_ids must be a list"):
        result_of(users.get_many, factories.make_me())
    with pytest.raises(UsageError, match="user_id must be"):
        result_of(users.get, " ")
    assert resolver.asked == []


@CLIENTS
@pytest.mark.parametrize("wrong", ["id", "", None])
def test_another_word_is_refused(client: type, wrong: object) -> None:
    with pytest.raises(UsageError, match="users_by must be 'user_id' or 'external_id', not "):
        client(token="t", users_by=wrong)
