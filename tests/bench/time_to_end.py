"""How soon everything ends: `python -m tests.bench.time_to_end`, a minute and a half.

From `CancelToken.cancel()` in one thread to `Cancelled` in the other, wherever a call stands; how
many of five calls succeed after six seconds of storms; and how long a script that forgets to close
its client takes from its last line to its end.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import trustme

from poolse import AsyncPoolse, CallOptions, CancelToken, Poolse
from poolse.testing import Sandbox
from tests.architecture.tree import ROOT
from tests.bench.cancel_latency import UNTIL_BLOCKED, cancelled, hang, show
from tests.concurrency.hanging_servers import FINE, PLACES, Place, place_of
from tests.concurrency.random_cancellation import POOL, Meeting, storm, storm_async, storm_by_token
from tests.concurrency.test_unclosed_clients import HEAD, SCRIPTS
from tests.http.conftest import context_for
from tests.http.raw_server import RawServer

CALLS = 10
STORM_SECONDS = 6.0


def ask(chat: Any, stop: CancelToken) -> Any:
    return chat.rest.request(method="GET", path="/x", options=CallOptions(cancel=stop))


def sync_call(place: Place) -> Callable[[CancelToken], object]:
    def call(stop: CancelToken) -> object:
        with Poolse(**place.arguments()) as chat:
            return ask(chat, stop)

    return call


def async_call(place: Place) -> Callable[[CancelToken], object]:
    async def call(stop: CancelToken) -> object:
        async with AsyncPoolse(**place.arguments()) as chat:
            return await ask(chat, stop)

    return lambda stop: asyncio.run(call(stop))


@contextmanager
def contexts() -> Generator[tuple[ssl.SSLContext, ssl.SSLContext]]:
    authority = trustme.CA()
    client = ssl.create_default_context()
    client.load_verify_locations(cadata=authority.cert_pem.bytes().decode())
    client.check_hostname = False
    yield context_for(authority, "127.0.0.1", "localhost"), client


def places(server: ssl.SSLContext, client: ssl.SSLContext) -> None:
    for name, call_of in {"sync": sync_call, "async": async_call}.items():
        for kind in PLACES:
            with (
                pytest.MonkeyPatch.context() as patch,
                place_of(kind, patch, server, client) as place,
            ):
                call = call_of(place)
                values = [cancelled(call) for _ in range(CALLS + 1)][1:]
                show(f"{name}: {kind}", values, "ms", 1e3)


def given() -> None:
    with RawServer(hang) as server, httpx.Client(timeout=None) as http:
        chat = Poolse(api_url=server.base, token="t", http_client=http, timeout=None)
        values = [cancelled(lambda stop: ask(chat, stop)) for _ in range(CALLS)]
        show("sync: a given httpx client waits", values, "ms", 1e3)


def live(sandbox: Sandbox) -> None:
    context = sandbox.ssl_context()
    token = sandbox.token("alice")
    with Poolse(api_url=sandbox.url, token=token, ssl_context=context) as chat:
        made = chat.conversations.create(type="group")
        channel = chat.realtime.conversation(made.id)
        channel.wait_joined()
        messages = chat.conversations.one(made.id).messages
        waits: dict[str, Callable[[CancelToken], object]] = {
            "events": lambda stop: list(channel.events(cancel=stop)),
            "follow": lambda stop: list(messages.follow(cancel=stop)),
        }
        for what, call in waits.items():
            show(f"sync: {what}", [cancelled(call) for _ in range(CALLS)], "ms", 1e3)


def storms(server: ssl.SSLContext, client: ssl.SSLContext) -> None:
    for name, blow in {
        "sync": storm,
        "async": storm_async,
        "async by token": storm_by_token,
    }.items():
        with RawServer(Meeting(), server) as wire:
            answers = blow(STORM_SECONDS, 1, api_url=wire.base, ssl_context=client)
        good = sum(answer == FINE for answer in answers)
        print(f"{name}: after {STORM_SECONDS:g} s of storm over TLS, {good} of {POOL} calls")


def exits(sandbox: Sandbox) -> None:
    arguments = [sandbox.url, sandbox.token("alice"), str(sandbox.ca_file)]
    for kind, script in SCRIPTS.items():
        with RawServer(hang) as silent:
            command = [sys.executable, "-c", HEAD + script + "print(time.time())"]
            done = subprocess.run(
                [*command, *arguments, silent.base],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
                check=True,
            )
            ended = time.time() - float(done.stdout.split()[-1])
        print(f"a script that forgets to close ({kind}): over after {ended * 1e3:.0f} ms")


def main() -> None:
    """Print all of it."""
    print(f"each call gets {UNTIL_BLOCKED * 1e3:.0f} ms to reach its place")
    with contexts() as (server, client), Sandbox(tls=True) as sandbox:
        places(server, client)
        given()
        live(sandbox)
        exits(sandbox)
        storms(server, client)


if __name__ == "__main__":
    main()
