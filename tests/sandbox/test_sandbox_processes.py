"""A sandbox in a forked child, in another process, in a signal handler, and while it is stopped."""

from __future__ import annotations

import asyncio
import copy
import multiprocessing
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from poolse import Poolse
from poolse.testing import FaultControl, Sandbox, client_for
from tests.concurrency.fork_helpers import FORK, all_held, in_child
from tests.sandbox.raw_clients import User

Door = Callable[[Sandbox], object]

FAULTS: dict[str, Door] = {
    "clear": lambda sandbox: sandbox.faults.clear(),
    "close_channel": lambda sandbox: sandbox.faults.close_channel("x"),
    "crash": lambda sandbox: sandbox.faults.crash("x"),
    "cut_downloads": lambda sandbox: sandbox.faults.cut_downloads(1),
    "cut_uploads": lambda sandbox: sandbox.faults.cut_uploads(1),
    "cap_pages": lambda sandbox: sandbox.faults.cap_pages(1),
    "disturb_broadcasts": lambda sandbox: sandbox.faults.disturb_broadcasts(),
    "drip": lambda sandbox: sandbox.faults.drip(1),
    "drop": lambda sandbox: sandbox.faults.drop(),
    "drop_sockets": lambda sandbox: sandbox.faults.drop_sockets(),
    "expire_urls": lambda sandbox: sandbox.faults.expire_urls(),
    "fail": lambda sandbox: sandbox.faults.fail(),
    "forget_idempotency": lambda sandbox: sandbox.faults.forget_idempotency(),
    "hang": lambda sandbox: sandbox.faults.hang(),
    "latency": lambda sandbox: sandbox.faults.latency(1),
    "limit_rate": lambda sandbox: sandbox.faults.limit_rate(1, 1),
    "lose_answers": lambda sandbox: sandbox.faults.lose_answers(),
    "mute": lambda sandbox: sandbox.faults.mute(),
    "refuse_handshakes": lambda sandbox: sandbox.faults.refuse_handshakes(),
    "refuse_joins": lambda sandbox: sandbox.faults.refuse_joins("no"),
    "release": lambda sandbox: sandbox.faults.release(),
    "unmute": lambda sandbox: sandbox.faults.unmute(),
}

ASKING: dict[str, Door] = {
    "add_tenant": lambda sandbox: sandbox.add_tenant(),
    "api_key": lambda sandbox: sandbox.api_key,
    "block": lambda sandbox: sandbox.block("alice"),
    "broadcast": lambda sandbox: sandbox.broadcast("x", "y", {}),
    "seed": lambda sandbox: sandbox.seed({}),
    "token": lambda sandbox: sandbox.token("alice"),
    "user_id": lambda sandbox: sandbox.user_id("alice"),
    "client_for": lambda sandbox: client_for(sandbox).me.show(),
    **{f"faults.{name}": door for name, door in FAULTS.items()},
}
"""Doors that need the sandbox's own thread."""

LOOKING: dict[str, Door] = {
    "requests": lambda sandbox: sandbox.requests,
    "handshakes": lambda sandbox: sandbox.handshakes,
    "joins": lambda sandbox: sandbox.joins,
    "sockets": lambda sandbox: sandbox.sockets,
    "wait_for": lambda sandbox: sandbox.wait_for(lambda: True),
    "clock.advance": lambda sandbox: sandbox.clock.advance(1),
}
"""Doors that a child would use in vain: it has a copy of what they look at."""

STARTING: dict[str, Door] = {
    "start": lambda sandbox: sandbox.start(),
    "__enter__": lambda sandbox: sandbox.__enter__(),
    "reset": lambda sandbox: sandbox.reset(),
}

WORKING: dict[str, Door] = {
    "url": lambda sandbox: sandbox.url,
    "ws_url": lambda sandbox: sandbox.ws_url,
    "ca_file": lambda sandbox: sandbox.ca_file.read_text("ascii"),
    "ssl_context": lambda sandbox: len(sandbox.ssl_context().get_ca_certs()),
    "clock.now": lambda sandbox: sandbox.clock.now() > 0,
    "stop": lambda sandbox: sandbox.stop(),
    "__exit__": lambda sandbox: sandbox.__exit__(None, None, None),
}

SAID = r"the sandbox runs in process {}, and this is a forked child of it"


def test_every_door_is_tried() -> None:
    public = {name for name in vars(Sandbox) if not name.startswith("_")}
    tried = {name.partition(".")[0] for name in (*ASKING, *LOOKING, *STARTING, *WORKING)}
    assert public | {"clock", "faults"} == tried - {"__enter__", "__exit__", "client_for"}
    assert {name for name in vars(FaultControl) if not name.startswith("_")} == set(FAULTS)


class TestForked:
    pytestmark = FORK

    def test_doors_that_need_the_parent_say_so(self, sandbox: Sandbox) -> None:
        tenant = sandbox.add_tenant()
        doors: dict[str, Door] = {
            **ASKING,
            **LOOKING,
            **STARTING,
            "Tenant.token": lambda _: tenant.token("alice"),
            "Tenant.user_id": lambda _: tenant.user_id("alice"),
            "Tenant.api_key": lambda _: tenant.api_key,
        }

        def work() -> dict[str, str]:
            said: dict[str, str] = {}
            for name, door in doors.items():
                try:
                    said[name] = f"gave {door(sandbox)!r}"
                except RuntimeError as error:
                    said[name] = str(error)
            return said

        said = in_child(work)
        expected = SAID.format(os.getpid())
        assert {name: text for name, text in said.items() if not text.startswith(expected)} == {}
        assert set(said) == set(doors)

    @pytest.mark.parametrize("name", sorted(WORKING))
    def test_doors_that_work(self, tls_sandbox: Sandbox, name: str) -> None:
        given = None if name in {"stop", "__exit__"} else WORKING[name](tls_sandbox)
        assert in_child(lambda: WORKING[name](tls_sandbox)) == given
        assert tls_sandbox.token("alice")
        assert tls_sandbox.ca_file.exists()

    def test_locks_that_others_hold_hold_up_nobody(self, sandbox: Sandbox) -> None:
        def work() -> object:
            sandbox.clock.now()
            for door in (*ASKING.values(), *LOOKING.values()):
                with pytest.raises(RuntimeError, match="forked child"):
                    door(sandbox)
            return sandbox.url

        with all_held(sandbox.clock, vars(sandbox)["_log"]) as count:
            assert count >= 2
            assert in_child(work) == sandbox.url

    def test_its_clients_reach_the_parents_sandbox(self, tls_sandbox: Sandbox) -> None:
        token = tls_sandbox.token("alice")

        def work() -> object:
            context = tls_sandbox.ssl_context()
            with Poolse(api_url=tls_sandbox.url, token=token, ssl_context=context) as chat:
                return chat.me.show().external_id

        assert in_child(work) == "alice"
        assert [request.status for request in tls_sandbox.requests] == [200]

    def test_it_may_have_a_sandbox_of_its_own(self, sandbox: Sandbox) -> None:
        ready = Sandbox()

        def work() -> object:
            with ready, Sandbox() as other:
                ready.clock.advance(1)
                return len({ready.url, other.url, sandbox.url}), other.requests

        assert in_child(work) == (3, [])

    def test_a_stop_is_an_outage_while_a_child_lives(self, sandbox: Sandbox, alice: User) -> None:
        context: Any = multiprocessing.get_context("fork")
        over = context.Event()
        phone = alice.phone()
        alice.http.get("/v1/me")
        child = context.Process(target=over.wait)
        child.start()
        try:
            host, port = httpx.URL(sandbox.url).host, httpx.URL(sandbox.url).port
            sandbox.faults.drop_sockets()
            assert phone.close_code() is None
            sandbox.stop()
            with pytest.raises(httpx.ConnectError):
                alice.http.get("/v1/me", timeout=5)
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((host, port), timeout=5)
        finally:
            over.set()
            child.join()


CHILD = """
import os, sys
from poolse.testing import Sandbox

with Sandbox(tls=True) as sandbox:
    if os.fork() == 0:
        sys.exit()  # an end with all finalizers, and out of the `with` before
    os.wait()
    assert sandbox.ca_file.exists()
    assert sandbox.ssl_context().get_ca_certs()
    assert sandbox.token("alice")
print("fine")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_the_end_of_a_child_removes_nothing_of_its_parent() -> None:
    # From Python 3.12 on a fork beside threads warns: this one forks to see what then goes wrong.
    command = [sys.executable, "-W", "ignore:This process:DeprecationWarning", "-c", CHILD]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "fine\n", "")


@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy])
def test_it_cannot_be_copied(sandbox: Sandbox, way: Callable[[object], object]) -> None:
    with pytest.raises(
        TypeError, match="cannot be copied or sent to another process: send its url"
    ):
        way(sandbox)


@pytest.mark.parametrize("name", sorted(ASKING))
@pytest.mark.parametrize("begun", [False, True], ids=["not started", "stopped"])
def test_without_a_running_one_every_door_says_so(name: str, begun: bool) -> None:
    sandbox = Sandbox()
    if begun:
        sandbox.start()
        sandbox.stop()
        sandbox.stop()
    with pytest.raises(RuntimeError, match="the sandbox is not running"):
        ASKING[name](sandbox)


def test_any_loop_may_use_it(sandbox: Sandbox) -> None:
    async def use() -> list[str]:
        here = [sandbox.token("alice"), sandbox.api_key, sandbox.url]
        there = await asyncio.to_thread(sandbox.user_id, "alice")
        return [*here, there]

    assert len({id(found) for found in (asyncio.run(use()), asyncio.run(use()))}) == 2


def test_a_stop_ends_what_waits_for_an_answer() -> None:
    """Whoever asks just as the sandbox is stopped gets an answer or an error, and never hangs."""
    for _ in range(30):
        sandbox = Sandbox().start()
        outcomes: list[object] = []
        go = threading.Barrier(4)

        def ask(sandbox: Sandbox, outcomes: list[object], go: threading.Barrier) -> None:
            go.wait()
            while True:
                try:
                    sandbox.token("alice")
                except RuntimeError as error:
                    outcomes.append(str(error).partition(":")[0])
                    return

        threads = [
            threading.Thread(target=ask, args=(sandbox, outcomes, go), daemon=True)
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        go.wait()
        sandbox.stop()
        for thread in threads:
            thread.join(30)
        assert outcomes == ["the sandbox is not running"] * 3


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")
def test_a_signal_handler_may_look_at_the_clock(sandbox: Sandbox) -> None:
    seen: list[float] = []

    def look(_number: int, _frame: object) -> None:
        seen.append(sandbox.clock.now())

    before = signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        while len(seen) < 100:
            sandbox.clock.advance(0)
            sandbox.clock.now()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
