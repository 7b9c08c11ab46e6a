"""Members by your own IDs: removed, and mentioned, as the list of members translates them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import httpx
import pytest

from poolse import ArgumentTypeError, AsyncPoolse, NotFoundError, Poolse, UsageError
from poolse.testing.factories import make_me, make_message
from tests.client.public_calls import done

ALICE, BOB = "0b5f9c5e-3c7e-4a37-9f0e-5d5a2f0d6c01", "0b5f9c5e-3c7e-4a37-9f0e-5d5a2f0d6c02"
CONVERSATION = "5f3a1c1e-9f3b-4a52-8d0c-6b8f0e1d2c01"
MEMBERS = f"/v1/conversations/{CONVERSATION}/members"
MESSAGES = f"/v1/conversations/{CONVERSATION}/messages"
LISTED, SENT = f"GET {MEMBERS}", f"POST {MESSAGES}"
FLAVOURS = pytest.mark.parametrize("flavour", [Poolse, AsyncPoolse])


@attrs.define
class Service:
    """Members of conversations, and the requests that came."""

    members: dict[str, str] = attrs.field(factory=lambda: {"u-1": ALICE, "u-2": BOB})
    requests: list[str] = attrs.field(factory=list[str])
    mentions: list[list[str]] = attrs.field(factory=list[list[str]])
    status: int = 200

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(f"{request.method} {request.url.path}")
        if request.method == "DELETE":
            return httpx.Response(204)
        if request.url.path.endswith("/messages"):
            self.mentions.append(json.loads(request.content).get("mentions"))
            return httpx.Response(201, json={"id": "m-1"})
        members = [
            {"id": f"of {user}", "user_id": user, "external_id": own}
            for own, user in self.members.items()
        ]
        return httpx.Response(self.status, json={"data": members})

    def run(self, flavour: type, use: Callable[[Any], Awaitable[None]]) -> None:
        """Use a client of the service."""

        async def main() -> None:
            transport = httpx.MockTransport(self)
            is_async = flavour is AsyncPoolse
            http = (httpx.AsyncClient if is_async else httpx.Client)(transport=transport)
            chat = flavour(api_url="http://api.test", token="t", http_client=http, max_retries=0)
            await use(chat)
            await done(chat.aclose() if is_async else chat.close())
            if isinstance(http, httpx.AsyncClient):
                await http.aclose()
            else:
                http.close()

        asyncio.run(main())


def of(chat: Any) -> Any:
    return chat.conversations.one(CONVERSATION)


@FLAVOURS
def test_a_member_is_removed_by_either_id(flavour: type) -> None:
    service = Service()

    async def use(chat: Any) -> None:
        await done(of(chat).remove_member(ALICE))
        assert service.requests == [f"DELETE {MEMBERS}/{ALICE}"]
        await done(of(chat).remove_member(external_id="u-2"))
        assert service.requests[1:] == [LISTED, f"DELETE {MEMBERS}/{BOB}"]
        await done(of(chat).remove_member(external_id=make_me(external_id="u-1")))
        assert service.requests[3:] == [f"DELETE {MEMBERS}/{ALICE}"]

    service.run(flavour, use)


@FLAVOURS
@pytest.mark.parametrize(
    ("ids", "complaint"),
    [
        ({}, "pass user_id or external_id"),
        ({"user_id": BOB, "external_id": "u-2"}, "pass user_id or external_id, and not both"),
    ],
)
def test_exactly_one_of_the_two_is_passed(
    flavour: type, ids: dict[str, str], complaint: str
) -> None:
    service = Service()

    async def use(chat: Any) -> None:
        with pytest.raises(UsageError, match=f"^{complaint}$"):
            await done(of(chat).remove_member(**ids))

    service.run(flavour, use)
    assert service.requests == []


@FLAVOURS
def test_mentions_by_either_id_are_sent_together(flavour: type) -> None:
    service = Service()

    async def use(chat: Any) -> None:
        send = of(chat).messages.send
        await done(send(body="a", mentions=[ALICE], mention_external_ids=["u-2", "u-2"]))
        await done(send(body="b", mention_external_ids=["u-2", "u-1"]))
        await done(send(body="c", mentions=[make_me(id=BOB)]))
        await done(send(body="d", mention_external_ids=[]))

    service.run(flavour, use)
    assert service.mentions == [[ALICE, BOB], [BOB, ALICE], [BOB], None]
    assert service.requests == [LISTED, SENT, SENT, SENT, SENT]


@FLAVOURS
def test_an_unknown_one_is_refused_before_anything_is_sent(flavour: type) -> None:
    service = Service()

    async def use(chat: Any) -> None:
        with pytest.raises(UsageError) as caught:
            await done(of(chat).messages.send(body="a", mention_external_ids=["u-1", "u-8", "u-9"]))
        assert str(caught.value) == (
            "mention_external_ids: list_members() returns nothing with external_id 'u-8' or 'u-9'"
        )
        with pytest.raises(UsageError, match=r"^external_id: .* external_id 'u-9'$"):
            await done(of(chat).remove_member(external_id="u-9"))

    service.run(flavour, use)
    assert service.requests == [LISTED, LISTED]


@FLAVOURS
def test_a_new_member_is_found(flavour: type) -> None:
    service = Service()

    async def use(chat: Any) -> None:
        await done(of(chat).messages.send(body="a", mention_external_ids=["u-1"]))
        service.members["u-3"] = CONVERSATION
        # Views have the same cache.
        view = chat.with_options(timeout=9)
        await done(of(view).messages.send(body="b", mention_external_ids=["u-3"]))
        # Those who left are known still: an old mention can be sent again.
        del service.members["u-1"]
        await done(of(chat).messages.send(body="c", mention_external_ids=["u-1", "u-3"]))

    service.run(flavour, use)
    assert service.requests == [LISTED, SENT, LISTED, SENT, SENT]
    assert service.mentions == [[ALICE], [CONVERSATION], [ALICE, CONVERSATION]]


@FLAVOURS
def test_each_conversation_has_members_of_its_own(flavour: type) -> None:
    service = Service()

    async def use(chat: Any) -> None:
        await done(of(chat).remove_member(external_id="u-1"))
        other = chat.conversations.one(ALICE)
        service.members = {"u-1": BOB}
        await done(other.remove_member(external_id="u-1"))

    service.run(flavour, use)
    assert service.requests[2:] == [
        f"GET /v1/conversations/{ALICE}/members",
        f"DELETE /v1/conversations/{ALICE}/members/{BOB}",
    ]


@FLAVOURS
def test_a_refusal_of_the_list_is_raised(flavour: type) -> None:
    service = Service(status=404)

    async def use(chat: Any) -> None:
        with pytest.raises(NotFoundError):
            await done(of(chat).messages.send(body="a", mention_external_ids=["u-1"]))
        service.status = 200
        await done(of(chat).messages.send(body="a", mention_external_ids=["u-1"]))

    service.run(flavour, use)
    assert service.requests == [LISTED, LISTED, SENT]


@FLAVOURS
@pytest.mark.parametrize("wrong", ["u-1", None, [None], [7], [make_message()]])
def test_what_is_no_external_id_is_refused(flavour: type, wrong: object) -> None:
    service = Service()

    async def use(chat: Any) -> None:
        with pytest.raises(ArgumentTypeError, match="mention_external_ids"):
            await done(of(chat).messages.send(body="a", mention_external_ids=wrong))
        with pytest.raises(ArgumentTypeError, match="mentions must be a list"):
            await done(of(chat).messages.send(body="a", mentions="bob"))

    service.run(flavour, use)
    assert service.requests == []
