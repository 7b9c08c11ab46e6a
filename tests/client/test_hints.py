"""Errors of common mistakes say what the mistake is."""

from __future__ import annotations

import asyncio
import pickle

import pytest

from poolse import AsyncPoolse, JoinError, NotFoundError, Poolse, PoolseBackend, UsageError
from poolse.testing import Sandbox, async_client_for, client_for

KEY = "pk_live_0123456789"
HINT = "is 'alice', but poolse IDs are UUIDs"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize("cls", [Poolse, AsyncPoolse])
def test_an_api_key_is_no_token(
    cls: type[Poolse | AsyncPoolse], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        UsageError, match=r"token is an API key, not a token: .*PoolseBackend"
    ) as no:
        cls(token=KEY)
    assert KEY not in str(no.value)
    monkeypatch.setenv("POOLSE_TOKEN", KEY)
    with pytest.raises(UsageError, match=r"^POOLSE_TOKEN is an API key"):
        cls()


def test_an_api_key_of_get_token_is_none_either(sandbox: Sandbox) -> None:
    with (
        Poolse(api_url=sandbox.url, get_token=lambda: KEY) as chat,
        pytest.raises(UsageError, match="get_token is an API key"),
    ):
        chat.me.show()
    assert sandbox.requests == []


def test_a_token_is_no_api_key(sandbox: Sandbox) -> None:
    token = sandbox.token("alice")
    with pytest.raises(UsageError, match="api_key is a user's token, not an API key") as refused:
        PoolseBackend(api_key=token)
    assert token not in str(refused.value)


def test_an_external_id_in_a_path(sandbox: Sandbox) -> None:
    with client_for(sandbox, "alice") as chat:
        with pytest.raises(NotFoundError) as missing:
            chat.conversations.one("alice").messages.send("Hi")
        (note,) = missing.value.__notes__
        assert note.startswith(f"conversation_id {HINT}")
        assert "external_id" in note
        assert pickle.loads(pickle.dumps(missing.value)).__notes__ == [note]
        with pytest.raises(NotFoundError) as missing:
            chat.conversations.one(UNKNOWN).show()
        assert not hasattr(missing.value, "__notes__")


def test_an_external_id_as_a_topic(sandbox: Sandbox) -> None:
    with client_for(sandbox, "alice") as chat:
        for channel in (chat.realtime.conversation("alice"), chat.realtime.user("alice")):
            with pytest.raises(JoinError) as refused:
                channel.wait_joined(timeout=10)
            assert refused.value.__notes__[0].startswith(f"the ID {HINT}")
        with pytest.raises(JoinError) as refused:
            chat.realtime.conversation(UNKNOWN).wait_joined(timeout=10)
        assert not hasattr(refused.value, "__notes__")


def test_both_in_the_async_client(sandbox: Sandbox) -> None:
    async def run() -> None:
        async with async_client_for(sandbox, "alice") as chat:
            with pytest.raises(NotFoundError) as missing:
                await chat.conversations.one("alice").messages.send("Hi")
            assert HINT in missing.value.__notes__[0]
            with pytest.raises(JoinError) as refused:
                await chat.realtime.conversation("alice").wait_joined(timeout=10)
            assert HINT in refused.value.__notes__[0]

    asyncio.run(run())
