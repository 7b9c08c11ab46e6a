"""Two clients at once on a bad network, at random: after a refresh, what is current is right."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import pytest

from poolse import Message, PoolseError
from poolse.testing import Sandbox
from tests.realtime.sync_and_async import FLAVOURS, Flavour, done
from tests.realtime.typed_clients import chat

STEPS = 60
IN_BOTH = pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"])
EMOJIS = ("👍", "🎉")


async def closed(state: Any) -> None:
    await done(state.aclose() if hasattr(state, "aclose") else state.close())


@attrs.define
class Walk:
    """Two users who do this and that in one conversation, each through a state."""

    sandbox: Sandbox
    chosen: random.Random
    states: list[Any]

    async def step(self) -> None:
        """One action of somebody, or one fault."""
        state = self.chosen.choice(self.states)
        kinds = ("send", "send", "reply", "edit", "delete", "react", "read", "older", "fault")
        try:
            await self._do(self.chosen.choice(kinds), state)
        except PoolseError:
            # Refused, or lost: which of them is for the state to find out.
            pass

    async def _do(self, kind: str, state: Any) -> None:
        stored: Sequence[Any] = list(state.messages.stored)
        item = self.chosen.choice(stored) if stored else None
        match kind:
            case "fault":
                self._fault()
            case "send":
                await done(state.send(f"body {self.chosen.random()}"))
            case "older":
                await done(state.load_older())
            case "read":
                await done(state.mark_read())
            case _ if item is None:
                pass
            case "reply":
                await done(state.send("reply", reply_to_id=item))
            case "edit":
                await done(state.edit(item, f"edited {self.chosen.random()}"))
            case "delete" if self.chosen.random() < 0.3:
                await done(state.delete(item))
            case "react":
                await done(state.react(item, self.chosen.choice(EMOJIS)))
            case _:
                pass

    def _fault(self) -> None:
        faults = self.sandbox.faults
        match self.chosen.randrange(4):
            case 0:
                faults.drop_sockets()
            case 1:
                faults.lose_answers(path="/v1/*")
            case 2:
                faults.fail(self.chosen.choice([422, 503]), path="/v1/*")
            case _:
                faults.disturb_broadcasts(
                    lost=0.2, doubled=0.2, delayed=0.3, seconds=0.05, seed=self.chosen.randrange(99)
                )


def is_right(snapshot: Any, rows: Sequence[Message]) -> bool:
    """Whether what is current is what a fresh load shows, without a hole."""
    current = [item.stored for item in snapshot.messages.stored if not snapshot.is_stale(item)]
    return current == rows[len(rows) - len(current) :]


async def judge(state: Any, rows: Sequence[Message]) -> None:
    """What is current is right, at the latest when a late reply is counted again."""
    snapshot = await until(state, lambda snapshot: is_right(snapshot, rows))
    ids = [item.id for item in snapshot.messages]
    assert len(ids) == len(set(ids))
    assert all(item.status == "failed" for item in snapshot.messages.outgoing)


async def walked(flavour: Flavour, sandbox: Sandbox, seed: int) -> None:
    options: dict[str, Any] = {"max_retries": 0}
    async with (
        chat(flavour, sandbox, "ann", **options) as ann,
        chat(flavour, sandbox, "bob", **options) as bob,
    ):
        talk = await done(ann.conversations.create(type="group", member_external_ids=["bob"]))
        states = [user.state.conversation(talk, page_size=5) for user in (ann, bob)]
        for state in states:
            await done(state.wait_loaded())
        walk = Walk(sandbox, random.Random(seed), states)
        for _ in range(STEPS):
            await walk.step()
        sandbox.faults.clear()
        found = ann.conversations.one(talk).messages.iter()
        rows = [row async for row in found] if hasattr(found, "__anext__") else list(found)
        for state in states:
            await until(state, lambda snapshot: snapshot.status == "live")
            await done(state.refresh())
            await judge(state, rows[::-1])
            while await done(state.load_older()):
                pass
            await judge(state, rows[::-1])
            assert len(state.messages.stored) == len(rows)
            await closed(state)


async def until(state: Any, holds: Callable[[Any], object]) -> Any:
    """The first snapshot that is as wanted."""
    found = state.snapshots(timeout=15)
    if hasattr(found, "__anext__"):
        async for snapshot in found:
            if holds(snapshot):
                return snapshot
    else:
        for snapshot in found:
            if holds(snapshot):
                return snapshot
    raise AssertionError(f"it did not happen: {state}")


@IN_BOTH
@pytest.mark.parametrize("seed", range(3))
def test_two_clients_on_a_bad_network(flavour: Flavour, sandbox: Sandbox, seed: int) -> None:
    asyncio.run(walked(flavour, sandbox, seed))


@IN_BOTH
@pytest.mark.soak
def test_many_walks(flavour: Flavour) -> None:
    for seed in range(100, 140):
        with Sandbox() as sandbox:
            asyncio.run(walked(flavour, sandbox, seed))
