"""What cannot be sent is refused under the caller's own name for it, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from poolse import UNSET, Poolse, PoolseBackend, UsageError
from poolse.testing import Sandbox

UNSENDABLE: dict[str, tuple[Callable[[Any, Any], object], str]] = {
    "no message id": (
        lambda chat, _: chat.conversations.one("c-1").messages.mark_read(UNSET),
        "message_id cannot be left out",
    ),
    "no emoji": (
        lambda chat, _: chat.messages.one("m-1").add_reaction(UNSET),
        "emoji cannot be left out",
    ),
    "no external ids": (
        lambda chat, _: chat.conversations.one("c-1").add_members(UNSET),
        "external_ids cannot be left out",
    ),
    "no external id": (
        lambda _, backend: backend.users.create(external_id=UNSET),
        "external_id cannot be left out",
    ),
    "no member": (
        lambda chat, _: chat.conversations.one("c-1").add_member(UNSET),
        "external_id must be the external ID of a user, a str or uuid.UUID, or the user, not UNSET",
    ),
    "a member of the wrong type": (
        lambda chat, _: chat.conversations.one("c-1").add_member(5),
        "external_id must be the external ID of a user, a str or uuid.UUID, or the user, not int",
    ),
    "a raw call without a path": (
        lambda chat, _: chat.rest.request(method="GET", path=""),
        "path is empty: pass the path of an endpoint",
    ),
    "a raw call for a tunnel": (
        lambda chat, _: chat.rest.request(method="connect", path="/v1/me"),
        "CONNECT is for tunnels",
    ),
    "a raw call with an empty text as its query": (
        lambda chat, _: chat.rest.request(method="GET", path="/v1/me", query=""),
        "query must be a mapping, not str",
    ),
    "a raw call with an empty list as its query": (
        lambda chat, _: chat.rest.request(method="GET", path="/v1/me", query=[]),
        "query must be a mapping, not list",
    ),
}


@pytest.mark.parametrize("mistake", UNSENDABLE)
def test_an_argument_is_refused_under_its_own_name(mistake: str, sandbox: Sandbox) -> None:
    do, complaint = UNSENDABLE[mistake]
    with (
        Poolse(token="t", api_url=sandbox.url) as chat,
        PoolseBackend(api_key="k", api_url=sandbox.url) as backend,
        pytest.raises(UsageError, match=f"^{complaint}"),
    ):
        do(chat, backend)
    assert sandbox.requests == []
