"""An ID may be a str, a `uuid.UUID` or the object that has it, at every door; nothing else may."""

from __future__ import annotations

import asyncio
import inspect
import math
import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import httpx
import pytest

from poolse import (
    ArgumentTypeError,
    AsyncPoolse,
    AsyncPoolseBackend,
    Poolse,
    PoolseBackend,
    UsageError,
)
from poolse.testing.factories import (
    make_attachment,
    make_conversation,
    make_me,
    make_membership,
    make_message,
    make_user,
)

TEXT = "9a0c2d3e-1111-4222-8333-444455556601"
Door = Callable[[Any, Any, Any], Any]
"""Passes a value at one place: of a client, a backend, and the value."""


def of(chat: Any) -> Any:
    return chat.conversations.one("c-1")


CONVERSATION: dict[str, Door] = {
    "one": lambda chat, _, value: chat.conversations.one(value).show(),
    "channel": lambda chat, _, value: chat.realtime.conversation(value).topic,
    "follow": lambda chat, _, value: chat.follow([value]),
}
MESSAGE: dict[str, Door] = {
    "one": lambda chat, _, value: chat.messages.one(value).delete(),
    "mark_read": lambda chat, _, value: of(chat).messages.mark_read(value),
    "reply": lambda chat, _, value: of(chat).messages.send(body="a", reply_to_id=value),
    "quote": lambda chat, _, value: of(chat).messages.send(body="a", quoted_message_id=value),
}
ATTACHMENT: dict[str, Door] = {
    "one": lambda chat, _, value: chat.attachments.one(value).download_url(),
    "send": lambda chat, _, value: of(chat).messages.send(attachment_ids=[value]),
}
USER: dict[str, Door] = {
    "remove": lambda chat, _, value: of(chat).remove_member(value),
    "channel": lambda chat, _, value: chat.realtime.user(value).topic,
    "mention": lambda chat, _, value: of(chat).messages.send(body="a", mentions=[value]),
    "token": lambda _, backend, value: backend.users.create_token(value),
    "get": lambda chat, _, value: chat.users.get(value),
    "get_many": lambda chat, _, value: chat.users.get_many([value]),
    "peek": lambda chat, _, value: chat.users.peek(value),
    "invalidate": lambda chat, _, value: chat.users.invalidate(value),
    "subscribe": lambda chat, _, value: chat.users.subscribe(value, print),
}
EXTERNAL: dict[str, Door] = {
    "add": lambda chat, _, value: of(chat).add_member(value),
    "add many": lambda chat, _, value: of(chat).add_members([value]),
    "create": lambda chat, _, value: chat.conversations.create(
        type="group", member_external_ids=[value]
    ),
    "user": lambda _, backend, value: backend.users.create(external_id=value),
    "provider": lambda _, backend, value: backend.token_provider(value)(),
}
NEW: dict[str, Door] = {"send": lambda chat, _, value: of(chat).messages.send(body="a", id=value)}

SILENT = ("follow", "peek", "invalidate", "subscribe")
"""Doors of which nothing is heard outside."""

A_CONVERSATION = make_conversation(id=TEXT)
A_MESSAGE = make_message(id=TEXT, conversation_id="c-1", sender_id="u-1")
AN_ATTACHMENT = make_attachment(id=TEXT)
A_USER = make_user(id=TEXT, external_id=TEXT)
ME = make_me(id=TEXT, external_id=TEXT)
A_MEMBER = make_membership(id="m-1", user_id=TEXT, external_id=TEXT, conversation_id="c-1")


def handle(name: str) -> Callable[[Any], Any]:
    return lambda chat: getattr(chat, name).one(TEXT)


PLAIN = [TEXT, UUID(TEXT)]
KINDS: list[tuple[str, dict[str, Door], list[Any], list[Any]]] = [
    (
        "conversation",
        CONVERSATION,
        [*PLAIN, A_CONVERSATION, handle("conversations")],
        [A_MESSAGE, A_USER, handle("messages")],
    ),
    (
        "message",
        MESSAGE,
        [*PLAIN, A_MESSAGE, handle("messages")],
        [A_CONVERSATION, A_USER, AN_ATTACHMENT, handle("conversations")],
    ),
    (
        "attachment",
        ATTACHMENT,
        [*PLAIN, AN_ATTACHMENT, handle("attachments")],
        [A_MESSAGE, A_USER, handle("messages")],
    ),
    ("user", USER, [*PLAIN, A_USER, ME, A_MEMBER], [A_CONVERSATION, handle("messages")]),
    ("external", EXTERNAL, [*PLAIN, A_USER, ME, A_MEMBER], [A_MESSAGE, handle("messages")]),
    ("new", NEW, [*PLAIN], [A_MESSAGE, A_USER, handle("messages")]),
]
WRONG: list[Any] = [None, "", " ", 5, 0, True, 1.5, b"abc", [], {}, object(), TEXT.encode()]

GOOD = [
    pytest.param(door, value, id=f"{kind} {name} {number}")
    for kind, doors, values, _ in KINDS
    for name, door in doors.items()
    for number, value in enumerate(values)
]
BAD = [
    pytest.param(door, value, id=f"{kind} {name} {number}")
    for kind, doors, _, values in KINDS
    for name, door in doors.items()
    for number, value in enumerate([*WRONG, *values])
    # An id that is left out, or None, is made by the client.
    if not (kind == "new" and value is None)
]


class Heard:
    """Clients whose requests are kept, and not sent."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.words += [request.url.path, request.content.decode()]
        return httpx.Response(
            200, json={"id": "x", "token": "t", "url": "u", "data": [{"id": "m"}]}
        )

    def resolve(self, user_id: str) -> None:
        self.words.append(user_id)

    def sync(self, door: Door, value: Any) -> None:
        with (
            httpx.Client(transport=httpx.MockTransport(self.answer)) as http,
            Poolse(
                api_url="http://api.test", token="t", http_client=http, user_resolver=self.resolve
            ) as chat,
            PoolseBackend(api_url="http://api.test", api_key="k", http_client=http) as backend,
        ):
            given = value(chat) if inspect.isfunction(value) else value
            self.words.append(str(door(chat, backend, given)))

    def asynchronous(self, door: Door, value: Any) -> None:
        async def main() -> None:
            transport = httpx.MockTransport(self.answer)
            async with (
                httpx.AsyncClient(transport=transport) as http,
                AsyncPoolse(
                    api_url="http://api.test",
                    token="t",
                    http_client=http,
                    user_resolver=self.resolve,
                ) as chat,
                AsyncPoolseBackend(
                    api_url="http://api.test", api_key="k", http_client=http
                ) as backend,
            ):
                given = value(chat) if inspect.isfunction(value) else value
                done = door(chat, backend, given)
                self.words.append(str(await done if inspect.isawaitable(done) else done))

        asyncio.run(main())


@pytest.mark.parametrize(("door", "value"), GOOD)
def test_what_has_the_id_is_taken(door: Door, value: Any, request: pytest.FixtureRequest) -> None:
    for flavour in (Heard.sync, Heard.asynchronous):
        heard = Heard()
        flavour(heard, door, value)
        silent = any(f" {name} " in request.node.name for name in SILENT)
        assert silent or any(TEXT in word for word in heard.words)


@pytest.mark.parametrize(("door", "value"), BAD)
def test_what_is_no_id_is_refused_at_once(door: Door, value: Any) -> None:
    for flavour in (Heard.sync, Heard.asynchronous):
        heard = Heard()
        with pytest.raises(UsageError, match=r"^\w+(\[0\])? must be ") as caught:
            flavour(heard, door, value)
        assert heard.words == []
        if not isinstance(value, str):
            assert isinstance(caught.value, ArgumentTypeError)
            kind = "None" if value is None else type(value).__name__
            assert inspect.isfunction(value) or re.search(rf", not {kind}\b", str(caught.value))


@pytest.mark.parametrize("kind", ["conversations", "messages", "attachments"])
@pytest.mark.parametrize("value", [*WRONG, ".", "..", A_USER])
def test_a_handle_is_not_made_for_what_is_no_id(kind: str, value: Any) -> None:
    for chat in (Poolse(token="t"), AsyncPoolse(token="t")):
        with pytest.raises(UsageError, match=f"id must be the ID of an? {kind[:-1]}, a str or"):
            getattr(chat, kind).one(value)


@pytest.mark.parametrize("value", [*WRONG, A_MEMBER])
def test_leave_takes_ids_only(value: Any) -> None:
    async def main() -> None:
        async with AsyncPoolse(token="t") as chat:
            with pytest.raises(UsageError, match="id must be an ID"):
                await chat.realtime.leave(value)
            for good in (TEXT, UUID(TEXT), A_CONVERSATION, A_USER, chat.conversations.one(TEXT)):
                await chat.realtime.leave(good)

    with Poolse(token="t") as chat:
        with pytest.raises(UsageError, match="id must be an ID"):
            chat.realtime.leave(value)
        for good in (TEXT, UUID(TEXT), A_CONVERSATION, A_USER, chat.conversations.one(TEXT)):
            chat.realtime.leave(good)
    asyncio.run(main())


@pytest.mark.parametrize("value", [None, "c-1", UUID(TEXT), A_CONVERSATION, 5])
def test_several_ids_are_a_list(value: Any) -> None:
    for chat in (Poolse(token="t", user_resolver=print), AsyncPoolse(token="t")):
        if value is not None:
            with pytest.raises(ArgumentTypeError, match="conversation_ids must be a list of IDs"):
                chat.follow(value)
    users: Any = Poolse(token="t", user_resolver=print).users
    with pytest.raises(ArgumentTypeError, match="user_ids must be a list of IDs"):
        users.get_many(value)


def test_an_attachment_handle_keeps_what_it_was_made_with() -> None:
    for chat in (Poolse(token="t"), AsyncPoolse(token="t")):
        first = chat.attachments.one(AN_ATTACHMENT)
        again: Any = chat.attachments.one(first)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        assert again.row is AN_ATTACHMENT
        assert again.id == TEXT


def reaction(name: str) -> Door:
    return lambda chat, _, value: getattr(chat.messages.one("m"), name)(value)


EMOJI = [".", "..", "\ud800"]


@pytest.mark.parametrize("emoji", EMOJI)
def test_both_doors_of_a_reaction_refuse_what_one_of_them_could_not_send(emoji: str) -> None:
    for name in ("add_reaction", "remove_reaction"):
        door = reaction(name)
        for flavour in (Heard.sync, Heard.asynchronous):
            heard = Heard()
            with pytest.raises(UsageError, match="emoji"):
                flavour(heard, door, emoji)
            assert heard.words == []


@pytest.mark.parametrize("emoji", ["👍", "a/b", "?", "%2e", "...", " ", "a b", "#", "\n"])
def test_both_doors_of_a_reaction_take_the_rest(emoji: str) -> None:
    for name in ("add_reaction", "remove_reaction"):
        door = reaction(name)
        for flavour in (Heard.sync, Heard.asynchronous):
            heard = Heard()
            flavour(heard, door, emoji)
            assert heard.words


SECONDS: list[Any] = [
    "5",
    -1,
    -0.5,
    math.nan,
    math.inf,
    True,
    False,
    [],
    Decimal(1),
    1j,
    2e9,
    10**400,
]


@pytest.mark.parametrize("value", SECONDS, ids=repr)
def test_what_is_no_number_of_seconds_is_refused_at_once(value: Any) -> None:
    async def main() -> None:
        async with AsyncPoolse(token="t") as chat:
            live = chat.realtime.conversation(TEXT)
            with pytest.raises(UsageError, match="timeout must be a number of seconds or None"):
                live.events(timeout=value)
            for wait in (live.wait_joined(timeout=value), live.push("a", timeout=value)):
                with pytest.raises(UsageError, match="timeout must be a number of seconds or None"):
                    await wait

    with Poolse(api_url="http://127.0.0.1:9", token="t") as chat:
        live = chat.realtime.conversation(TEXT)
        doors: list[Any] = [live.events, live.wait_joined, partial(live.push, "a")]
        for door in doors:
            with pytest.raises(UsageError, match="timeout must be a number of seconds or None"):
                door(timeout=value)
        with pytest.raises(UsageError, match="timeout must be a number of seconds"):
            chat.with_options(timeout=value)
    for name in ("timeout", "base_backoff", "max_backoff", "max_retry_after", "user_cache_ttl"):
        with pytest.raises(UsageError, match=f"{name} must be a number of seconds"):
            Poolse(token="t", **{name: value})
    asyncio.run(main())
