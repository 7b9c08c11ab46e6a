"""Callbacks see the context variables of where they were subscribed, and of nobody else."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar, copy_context
from typing import Any

import pytest

from poolse import Hooks
from poolse.testing import Sandbox
from tests.realtime.raw_rest import post
from tests.realtime.sync_and_async import FLAVOURS, Flavour, Log, Sync, done
from tests.realtime.typed_clients import chat

REQUEST: ContextVar[str] = ContextVar("request", default="none")

BOTH = pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"])
KINDS = pytest.mark.parametrize("kind", ["plain", "async"])


def recording(log: Log, flavour: Flavour, kind: str, name: str = "") -> Any:
    """A callback that says which request it belongs to."""

    def plain(_: object = None) -> None:
        log.append((name, REQUEST.get()) if name else REQUEST.get())

    async def suspended(_: object = None) -> None:
        before = REQUEST.get()
        await asyncio.sleep(0)
        assert REQUEST.get() == before
        plain()

    return plain if flavour is Sync or kind == "plain" else suspended


async def within(request: str, work: Any) -> Any:
    """Call something as part of a request."""
    context = copy_context()
    context.run(REQUEST.set, request)
    result = context.run(work)
    if asyncio.iscoroutine(result):
        return await asyncio.get_running_loop().create_task(result, context=context)
    return result


@BOTH
@KINDS
def test_each_subscription_has_its_own(flavour: Flavour, kind: str, sandbox: Sandbox) -> None:
    conversation = post(sandbox, "/v1/conversations", {"type": "group"})["id"]

    async def scenario() -> None:
        events, statuses = Log(), Log()
        async with chat(flavour, sandbox, "alice") as client:

            def subscribe_to_status() -> None:
                client.realtime.on_status(recording(statuses, flavour, kind))

            def subscribe() -> None:
                live = client.realtime.conversation(conversation)
                live.on_message(recording(events, flavour, kind))

            # The first channel connects, and then no status is left to wait for.
            for step in (subscribe_to_status, subscribe):
                for number in (1, 2, 3):
                    await within(f"r{number}", step)
            live = client.realtime.conversation(conversation)
            await done(live.wait_joined())
            for _ in range(2):
                await done(client.conversations.one(conversation).messages.send(body="hi"))
            await events.reach(6)
            assert events.items == ["r1", "r2", "r3"] * 2
            assert set(statuses.items) == {"r1", "r2", "r3"}

    asyncio.run(scenario())


@BOTH
@KINDS
def test_what_a_callback_sets_is_its_own(flavour: Flavour, kind: str, sandbox: Sandbox) -> None:
    conversation = post(sandbox, "/v1/conversations", {"type": "group"})["id"]

    async def scenario() -> None:
        seen = Log()

        def setting(_: object) -> None:
            REQUEST.set("changed")

        async def setting_later(_: object) -> None:
            await asyncio.sleep(0)
            REQUEST.set("changed")

        async with chat(flavour, sandbox, "alice") as client:
            live = client.realtime.conversation(conversation)
            live.on_message(setting if flavour is Sync or kind == "plain" else setting_later)
            live.on_message(recording(seen, flavour, kind))
            await done(live.wait_joined())
            await done(client.conversations.one(conversation).messages.send(body="hi"))
            await seen.until(len)
            assert seen.items == ["none"]
            assert REQUEST.get() == "none"

    asyncio.run(scenario())


@BOTH
@KINDS
def test_those_of_the_constructor_have_the_context_of_the_constructor(
    flavour: Flavour, kind: str, sandbox: Sandbox
) -> None:
    """`on_socket_error`, `hooks` and the socket's `get_token`, whoever opens the first channel."""
    conversation = post(sandbox, "/v1/conversations", {"type": "group"})["id"]

    async def scenario() -> None:
        log, token = Log(), sandbox.token("alice")
        get_token = recording(log, flavour, kind, "get_token")

        def plain_token() -> str:
            get_token()
            return token

        async def token_later() -> str:
            await get_token()
            return token

        sandbox.faults.refuse_handshakes(503)
        options = {
            "token": None,
            "get_token": plain_token if flavour is Sync or kind == "plain" else token_later,
            "on_socket_error": recording(log, flavour, kind, "on_socket_error"),
            "hooks": Hooks(on_realtime=recording(log, flavour, kind, "hooks")),
        }
        async with await within("main", lambda: entered(flavour, sandbox, options)) as client:
            live = await within("r1", lambda: client.realtime.conversation(conversation))
            await within("r1", live.wait_joined)
            await log.until(lambda items: {name for name, _ in items} >= NAMES)
            assert {request for _, request in log.items} == {"main"}, log.items

    asyncio.run(scenario())


NAMES = {"get_token", "on_socket_error", "hooks"}


async def entered(flavour: Flavour, sandbox: Sandbox, options: Any) -> Any:
    """A client, made in the context in which this is called."""
    manager = chat(flavour, sandbox, "alice", **options)
    client = await manager.__aenter__()

    class Entered:
        async def __aenter__(self) -> Any:
            return client

        async def __aexit__(self, *error: object) -> None:
            await manager.__aexit__(None, None, None)

    return Entered()


@BOTH
def test_get_token_and_the_resolver_are_called_for_whoever_asks(
    flavour: Flavour, sandbox: Sandbox
) -> None:
    """In a REST call and in `users.get` they belong to the caller, as any function does."""

    async def scenario() -> None:
        log, token = Log(), sandbox.token("alice")

        def get_token() -> str:
            log.append(("get_token", REQUEST.get()))
            return token

        def resolver(_: str) -> None:
            log.append(("resolver", REQUEST.get()))

        options: Any = {"token": None, "get_token": get_token, "user_resolver": resolver}
        async with await within("main", lambda: entered(flavour, sandbox, options)) as client:
            await within("r1", client.me.show)
            await within("r2", lambda: client.users.get("u"))
            assert log.items == [("get_token", "r1"), ("resolver", "r2")]

    asyncio.run(scenario())
