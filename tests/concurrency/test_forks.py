"""A forked child works, and its parent never notices."""

from __future__ import annotations

import multiprocessing
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import ref

import pytest

from poolse import (
    CallOptions,
    CancelToken,
    Poolse,
    PoolseBackend,
    SQLiteCheckpoint,
    UsageError,
    UserProfile,
)
from poolse._support.fork_safety import renew_after_fork
from poolse.testing import Sandbox
from tests.concurrency.fork_helpers import FORK, all_held, connected_to, in_child
from tests.concurrency.hanging_servers import ANSWER, FINE
from tests.http.raw_server import Connection, RawServer, ReceivedRequest, answer_with
from tests.http.sync_and_async_senders import ASIDE, in_thread

pytestmark = FORK


def get(chat: Any, cancel: CancelToken | None = None) -> Any:
    return chat.rest.request(method="GET", path="/x", options=CallOptions(cancel=cancel))


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_each_process_has_connections_of_its_own(
    tls: bool, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    with (
        RawServer(answer_with(ANSWER), server_tls if tls else None) as server,
        Poolse(api_url=server.base, token="t", ssl_context=client_tls) as chat,
    ):
        assert get(chat) == FINE

        def work() -> object:
            inherited = connected_to(server.port)
            answers = [get(chat), get(chat)]
            own = connected_to(server.port)
            chat.close()
            return inherited, answers, own

        assert in_child(work) == (0, [FINE, FINE], 1)
        # The parent's connection is as it was, and serves on.
        assert get(chat) == FINE
        assert server.accepted == 2


def test_locks_that_other_threads_held_hold_up_nobody(sandbox: Sandbox) -> None:
    chat = Poolse(
        api_url=sandbox.url,
        get_token=lambda: sandbox_token,
        user_resolver=lambda id: UserProfile(display_name=id, avatar_url=None),
    )
    backend = PoolseBackend(api_url=sandbox.url, api_key=sandbox.api_key)
    sandbox_token = sandbox.token("alice")
    stop = CancelToken()
    view = chat.with_options(cancel=stop)
    provider = backend.token_provider("bob")
    with chat, backend:
        known = [view.me.show().external_id, chat.users.get("u"), len(provider())]
        assert chat.realtime.status == "idle"

        def work() -> object:
            stop.raise_if_cancelled()
            answers = [view.me.show().external_id, chat.users.get("u"), len(provider())]
            stop.cancel()
            return answers, chat.users.get("v"), chat.realtime.status

        with all_held(chat, view, backend, provider, stop) as count:
            # Tokens, profiles, pools, slots, TLS, realtime, the cancel token, the mint.
            assert count >= 10
            answers, other, status = in_child(work)
        assert answers == known
        assert other == UserProfile(display_name="v", avatar_url=None)
        assert status == "idle"


def test_a_fetch_of_a_token_that_was_under_way_is_restarted() -> None:
    asked, go_on = threading.Event(), threading.Event()
    main = threading.current_thread()

    def get_token() -> str:
        if threading.current_thread() is not main:
            asked.set()
            assert go_on.wait(ASIDE)
        return "t"

    with (
        RawServer(answer_with(ANSWER)) as server,
        Poolse(api_url=server.base, get_token=get_token) as chat,
    ):
        fetching = in_thread(lambda: get(chat))
        assert asked.wait(ASIDE)
        assert in_child(lambda: get(chat)) == FINE
        go_on.set()
        assert fetching.outcome() == FINE


def test_a_token_that_a_child_cancels_is_not_cancelled_here() -> None:
    go_on = threading.Event()

    def held(connection: Connection, _: ReceivedRequest) -> None:
        assert go_on.wait(ASIDE)
        connection.answer(ANSWER)

    stop = CancelToken()
    with RawServer(held) as server, Poolse(api_url=server.base, token="t") as chat:
        call = in_thread(lambda: get(chat, stop))
        server.seen.get(timeout=ASIDE)
        told: list[str] = []
        stop.on_cancel(lambda: told.append("the parent's call"))

        def cancel() -> list[str]:
            stop.cancel()
            return told

        assert in_child(cancel) == []
        go_on.set()
        assert call.outcome() == FINE
        assert not stop.cancelled


@pytest.mark.parametrize("used", [False, True], ids=["made before", "used before"])
def test_workers_that_share_a_client_of_their_parent(used: bool, sandbox: Sandbox) -> None:
    """As Celery and Gunicorn do: the client is made at import, then the workers are forked."""
    chat = Poolse(api_url=sandbox.url, get_token=lambda: sandbox_token)
    sandbox_token = sandbox.token("alice")
    conversation = chat.conversations.create(type="group").id if used else None

    def task(number: int) -> str:
        me = chat.me.show()
        if conversation is not None:
            chat.conversations.one(conversation).messages.send(body=str(number))
        return me.external_id

    TASKS[:] = [task]
    with chat, multiprocessing.get_context("fork").Pool(4) as workers:
        working = workers.map_async(run_task, range(40), chunksize=1)
        here = [chat.me.show().external_id for _ in range(20)]
        assert working.get(ASIDE) == ["alice"] * 40
        assert here == ["alice"] * 20
        workers.close()
        workers.join()
        if conversation is not None:
            sent = {row.body for row in chat.conversations.one(conversation).messages.iter()}
            assert sent == {str(number) for number in range(40)}


TASKS: list[Callable[[int], str]] = []
"""What the workers find in the module that they inherit."""


def run_task(number: int) -> str:
    return TASKS[0](number)


def test_realtime_that_has_not_begun_begins_in_the_child(tls_sandbox: Sandbox) -> None:
    chat = Poolse(
        api_url=tls_sandbox.url,
        token=tls_sandbox.token("alice"),
        ssl_context=tls_sandbox.ssl_context(),
    )
    with chat:
        made = chat.conversations.create(type="group")
        assert chat.realtime.status == "idle"

        def work() -> str:
            with chat:
                chat.realtime.conversation(made.id).wait_joined()
                return chat.realtime.status

        assert in_child(work) == "connected"


def test_realtime_that_runs_in_the_parent_is_not_inherited(tls_sandbox: Sandbox) -> None:
    chat = Poolse(
        api_url=tls_sandbox.url,
        token=tls_sandbox.token("alice"),
        ssl_context=tls_sandbox.ssl_context(),
    )
    port = int(tls_sandbox.url.rpartition(":")[2])
    with chat:
        made = chat.conversations.create(type="group")
        messages = chat.conversations.one(made.id).messages
        for body in ("here", "there at once", "and this"):
            messages.send(body=body)
        with messages.follow(after="beginning") as feed:
            # Then nothing is being opened: what is at the time of a fork belongs to nobody yet.
            assert next(feed).message.body == "here"
            chat.realtime.conversation(made.id).wait_joined()

            def work() -> object:
                inherited = connected_to(port)
                with pytest.raises(UsageError) as caught:
                    next(feed)
                return inherited, str(caught.value), chat.me.show().external_id

            said = "realtime does not survive a fork: create a client in each process"
            assert in_child(work) == (0, said, "alice")
            assert next(feed).message.body == "there at once"
            messages.send(body="still here")
            assert chat.realtime.status == "connected"


def test_a_checkpoint_belongs_to_the_process_that_opened_it(tmp_path: Path) -> None:
    with SQLiteCheckpoint(tmp_path / "bot.db") as checkpoint:

        def work() -> str:
            with pytest.raises(Exception, match="opened in another process") as caught:
                checkpoint.load("x")
            checkpoint.close()
            return type(caught.value).__name__

        assert in_child(work) == "CheckpointUnusable"
        assert checkpoint.load("x") is None


def test_an_object_may_have_several_things_to_renew() -> None:
    class Both:
        def __init__(self) -> None:
            self.renewed: list[str] = []
            renew_after_fork(self.first)
            renew_after_fork(self.second)
            # As a class and the one that it is derived from may do.
            renew_after_fork(self.first)

        def first(self) -> None:
            self.renewed.append("first")

        def second(self) -> None:
            self.renewed.append("second")

    def used() -> ref[Both]:
        both = Both()
        assert in_child(lambda: both.renewed) == ["first", "second"]
        assert both.renewed == []
        return ref(both)

    assert used()() is None
