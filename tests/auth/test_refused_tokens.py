"""A token that the server refuses: it is fetched again, each time that it is refused."""

from __future__ import annotations

import asyncio

import pytest

from poolse import AsyncPoolse, AuthError, Poolse
from poolse.testing import Sandbox


class Lagging:
    """A `get_token` behind a cache that gives a revoked token once more before it gives a new one.

    Opaque to the client, so that only a refusal ends its life.
    """

    def __init__(self, good: str) -> None:
        self.left = ["revoked", "revoked", good]

    def __call__(self) -> str:
        return self.left.pop(0)


def test_a_refused_token_that_came_back_is_fetched_again(sandbox: Sandbox) -> None:
    get_token = Lagging(sandbox.token("alice"))
    with Poolse(api_url=sandbox.url, get_token=get_token) as chat:
        with pytest.raises(AuthError):
            chat.me.show()
        assert chat.me.show().external_id == "alice"
    assert get_token.left == []


def test_a_refused_token_that_came_back_is_fetched_again_in_async(sandbox: Sandbox) -> None:
    get_token = Lagging(sandbox.token("alice"))

    async def main() -> None:
        async with AsyncPoolse(api_url=sandbox.url, get_token=get_token) as chat:
            with pytest.raises(AuthError):
                await chat.me.show()
            assert (await chat.me.show()).external_id == "alice"

    asyncio.run(main())
    assert get_token.left == []
