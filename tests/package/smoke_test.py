"""Run by the Python of an environment that has the wheel: does it work there?

Imports every module; then a call and an event, in both flavours, against the sandbox.
"""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import re
import sys

import poolse
from poolse import AsyncPoolse, MessageNew, Poolse
from poolse.testing import Sandbox

# One needs pytest-asyncio, the other is the command and would begin.
NOT_BY_ITSELF = {"poolse.testing._asyncio_fixture", "poolse.cli.__main__"}

AGENT = re.compile(r"poolse-python/(\d+\.\d+) \(python/(\d+\.\d+)\)")


def import_all() -> int:
    """Import every module."""
    found = pkgutil.walk_packages(poolse.__path__, "poolse.")
    names = [module.name for module in found if module.name not in NOT_BY_ITSELF]
    for name in names:
        importlib.import_module(name)
    return len(names)


def sync(sandbox: Sandbox) -> str:
    """A message that comes back as an event."""
    with Poolse(api_url=sandbox.url, token=sandbox.token("alice")) as chat:
        conversation = chat.conversations.create(type="group")
        with chat.realtime.conversation(conversation.id) as live:
            events = live.events(timeout=30)
            chat.conversations.one(conversation.id).messages.send(body="sync")
            return next(event.body or "" for event in events if isinstance(event, MessageNew))


async def asynchronous(sandbox: Sandbox) -> str:
    """The same."""
    async with AsyncPoolse(api_url=sandbox.url, token=sandbox.token("alice")) as chat:
        conversation = await chat.conversations.create(type="group")
        async with chat.realtime.conversation(conversation.id) as live:
            events = live.events(timeout=30)
            await chat.conversations.one(conversation.id).messages.send(body="async")
            async for event in events:
                if isinstance(event, MessageNew):
                    return event.body or ""
    return ""


def check_agents(sandbox: Sandbox) -> None:
    """Every request and every handshake said who sent it."""
    release = ".".join(poolse.version.split(".")[:2])
    here = (release, f"{sys.version_info.major}.{sys.version_info.minor}")
    for request in sandbox.requests + sandbox.handshakes:
        told = AGENT.fullmatch(request.headers["user-agent"])
        assert told is not None, request.headers["user-agent"]
        assert told.groups() == here


def main() -> None:
    """Print what worked."""
    modules = import_all()
    with Sandbox() as sandbox:
        told = [sync(sandbox), asyncio.run(asynchronous(sandbox))]
        check_agents(sandbox)
    print(f"{modules} modules, {' and '.join(told)}, poolse {poolse.version}")


if __name__ == "__main__":
    main()
