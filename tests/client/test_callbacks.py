"""Each place that takes a function: what it refuses, what it awaits, and what nothing awaits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Generator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from poolse import (
    ArgumentTypeError,
    AsyncPoolse,
    CancelToken,
    Hooks,
    MemoryCheckpoint,
    Poolse,
    PoolseError,
    Position,
    RealtimeError,
    UsageError,
    UserProfile,
)
from poolse.testing import Sandbox
from tests.concurrency.realtime_scenarios import FLAVOURS, Flavour, connected, play
from tests.follow.sync_and_async_feeds import done

Place = Callable[[Any, Any, Any], object]
"""Gives a function to a client: `place(flavour, chat, function)`."""


def given(name: str) -> Place:
    def place(flavour: Any, _chat: Any, function: Any) -> object:
        token = {} if name == "get_token" else {"token": "t"}
        return flavour(**token, **{name: function})

    return place


def hook(name: str) -> Place:
    return lambda flavour, _chat, function: flavour(token="t", hooks=Hooks(**{name: function}))


def room(chat: Any) -> Any:
    return chat.realtime.conversation("00000000-0000-4000-8000-000000000001")


class Checkpoint:
    """Loads nothing, and saves by the function."""

    def __init__(self, save: Any) -> None:
        self.save = save

    def load(self, _key: str) -> Position | None:
        return None


PLACES: dict[str, Place] = {
    "get_token": given("get_token"),
    "user_resolver": given("user_resolver"),
    "on_socket_error": given("on_socket_error"),
    "on_request": hook("on_request"),
    "on_response": hook("on_response"),
    "on_retry": hook("on_retry"),
    "on_realtime": hook("on_realtime"),
    "on_message": lambda _, chat, function: room(chat).on_message(function),
    "on_typing_start": lambda _, chat, function: room(chat).on_typing_start(function),
    "on_presence_state": lambda _, chat, function: room(chat).on_presence_state(function),
    "on_mention": lambda _, chat, function: chat.realtime.user("u-1").on_mention(function),
    "on_status": lambda _, chat, function: chat.realtime.on_status(function),
    "on_gap": lambda _, chat, function: chat.follow(on_gap=function),
    "on_gap of one": lambda _, chat, function: chat.conversations.one("c-1").messages.follow(
        on_gap=function
    ),
    "checkpoint.save": lambda _, chat, function: chat.follow(checkpoint=Checkpoint(function)),
    "upload": lambda _, chat, function: chat.attachments.upload(b"", on_progress=function),
    "upload_many": lambda _, chat, function: chat.attachments.upload_many([], on_progress=function),
    "download": lambda _, chat, function: chat.attachments.one("a-1").download(
        on_progress=function
    ),
    "generate_idempotency_key": given("generate_idempotency_key"),
    "users.subscribe": lambda _, chat, function: chat.users.subscribe("u-1", function),
    "on_cancel": lambda _flavour, _chat, function: CancelToken().on_cancel(function),
}
NEVER_AWAITED = {"generate_idempotency_key", "users.subscribe", "on_cancel"}
NONE_IS_LEFT_OUT = {
    name
    for name in PLACES
    if name.startswith(("on_gap", "up", "down", "get", "user_r", "on_so", "on_re"))
}


async def coroutine_function(*_: object) -> None:
    raise AssertionError


class Called:
    """An object whose `__call__` is async."""

    async def __call__(self, *_: object) -> None:
        raise AssertionError

    async def method(self, *_: object) -> None:
        raise AssertionError


async def async_generator(*_: object) -> AsyncGenerator[None]:
    yield


def generator(*_: object) -> Generator[None]:
    yield


ASYNC: dict[str, Callable[..., object]] = {
    "a coroutine function": coroutine_function,
    "a partial of one": partial(partial(coroutine_function, 1), 2),
    "a method": Called().method,
    "an object": Called(),
}
NO_CALLBACKS: dict[str, tuple[object, str]] = {
    "a number": (7, "must be a function, not int"),
    "a coroutine": ("a str in place of it", "must be a function, not str"),
    "a generator function": (generator, "is a generator function, and nothing here iterates it"),
    "a partial of one": (partial(generator, 1), "is a generator function"),
    "an async generator function": (async_generator, "is a generator function"),
}


async def put(flavour: Flavour, sandbox: Sandbox, place: str, function: object) -> None:
    async with connected(flavour, sandbox) as chat:
        await done(PLACES[place](flavour, chat, function))


@FLAVOURS
@pytest.mark.parametrize("place", PLACES)
def test_what_would_never_run_is_refused_at_once(
    flavour: Flavour, sandbox: Sandbox, place: str
) -> None:
    async def scenario() -> None:
        for function, told in NO_CALLBACKS.values():
            with pytest.raises(UsageError, match=rf"{told}|save is missing"):
                await put(flavour, sandbox, place, function)
        if place not in NONE_IS_LEFT_OUT:
            with pytest.raises(ArgumentTypeError, match=r"must be a function, not None|is missing"):
                await put(flavour, sandbox, place, None)

    play(scenario)
    assert [request for request in sandbox.requests if request.method != "GET"] == []


@FLAVOURS
@pytest.mark.parametrize("kind", ASYNC)
@pytest.mark.parametrize("place", PLACES)
def test_an_async_one_is_refused_where_nothing_awaits_it(
    flavour: Flavour, sandbox: Sandbox, place: str, kind: str
) -> None:
    if flavour is AsyncPoolse and place not in NEVER_AWAITED:
        # It is taken; the download then finds no such file.
        if place not in ("upload", "upload_many", "download"):
            play(lambda: put(flavour, sandbox, place, ASYNC[kind]))
        return
    hint = "pass a plain function" if place in NEVER_AWAITED else "use AsyncPoolse, or pass a plain"
    with pytest.raises(UsageError, match=f"async, and nothing here awaits it: {hint}"):
        play(lambda: put(flavour, sandbox, place, ASYNC[kind]))
    assert sandbox.requests == []


def late(*_: object) -> object:
    """A plain function whose result would have to be awaited."""
    return coroutine_function()


AWAITABLE = "returned an awaitable, and nothing here awaits it"


def test_a_handler_that_returns_an_awaitable_is_reported(sandbox: Sandbox) -> None:
    errors: list[PoolseError] = []

    async def scenario() -> None:
        reported = asyncio.Event()
        loop = asyncio.get_running_loop()

        def on_error(error: PoolseError) -> None:
            errors.append(error)
            loop.call_soon_threadsafe(reported.set)

        async with connected(Poolse, sandbox, on_socket_error=on_error) as chat:
            chat.realtime.on_status(late)
            chat.realtime.connect()
            await reported.wait()

    play(scenario)
    assert isinstance(errors[0], RealtimeError)
    assert AWAITABLE in str(errors[0].__cause__)


@pytest.mark.parametrize("name", ["on_request", "on_response"])
def test_a_hook_that_returns_an_awaitable_is_logged(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    hooks = Hooks(**{name: late})
    with Poolse(token=sandbox.token("alice"), api_url=sandbox.url, hooks=hooks) as chat:
        chat.me.show()
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.exc_info is not None
    assert AWAITABLE in str(record.exc_info[1])


def resolved(_: str) -> UserProfile:
    return UserProfile("Ada")


@FLAVOURS
def test_a_listener_of_users_that_returns_an_awaitable_is_logged(
    flavour: Flavour, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with connected(flavour, sandbox, user_resolver=resolved) as chat:
            chat.users.subscribe("u-1", late)
            await done(chat.users.get("u-1"))

    play(scenario)
    (record,) = caplog.records
    assert record.exc_info is not None
    assert AWAITABLE in str(record.exc_info[1])


@FLAVOURS
def test_a_key_that_is_an_awaitable_is_refused(flavour: Flavour, sandbox: Sandbox) -> None:
    async def scenario() -> None:
        async with connected(flavour, sandbox, generate_idempotency_key=late) as chat:
            await done(chat.conversations.one("c-1").messages.send(body="x"))

    with pytest.raises(UsageError, match=f"generate_idempotency_key {AWAITABLE}"):
        play(scenario)
    assert sandbox.requests == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_cancel_callback_that_returns_an_awaitable_is_reported(when: str) -> None:
    token = CancelToken()
    others: list[str] = []
    if when == "before":
        token.cancel()
        with pytest.raises(UsageError, match=AWAITABLE):
            token.on_cancel(late)
        return
    token.on_cancel(late)
    token.on_cancel(lambda: others.append("called"))
    with pytest.raises(UsageError, match=AWAITABLE):
        token.cancel()
    assert others == ["called"]


class Saved(MemoryCheckpoint):
    """Loads, or saves, by plain functions that return awaitables."""

    def __init__(self, late: str) -> None:
        super().__init__()
        self.late = late
        self.waited: list[str] = []

    def load(self, key: str) -> Any:
        found = super().load(key)
        return self._later("load", found) if self.late == "load" else found

    def save(self, key: str, position: Position) -> Any:
        super().save(key, position)
        return self._later("save", None) if self.late == "save" else None

    async def _later(self, name: str, result: object) -> Any:
        self.waited.append(name)
        return result


class Wrapped:
    """The same, but none that the library knows."""

    def __init__(self, inner: Saved) -> None:
        self.load, self.save = inner.load, inner.save


@FLAVOURS
@pytest.mark.parametrize("name", ["load", "save"])
def test_a_checkpoint_that_returns_awaitables_is_awaited_or_refused(
    flavour: Flavour, sandbox: Sandbox, name: str
) -> None:
    saved = Saved(name)

    async def scenario() -> None:
        async with connected(flavour, sandbox) as chat:
            made = await done(chat.conversations.create(type="group"))
            messages = chat.conversations.one(made.id).messages
            feed = messages.follow(checkpoint=Wrapped(saved))
            if flavour is Poolse:
                await asyncio.to_thread(taken, feed, messages)
            else:
                async with feed:
                    await messages.send(body="x")
                    await anext(feed)

    def taken(feed: Any, messages: Any) -> None:
        with feed:
            messages.send(body="x")
            next(feed)

    if flavour is Poolse:
        with pytest.raises(UsageError, match=f"{name} {AWAITABLE}"):
            play(scenario)
    else:
        play(scenario)
        assert saved.waited


def test_on_gap_that_returns_an_awaitable_is_refused(sandbox: Sandbox) -> None:
    with Poolse(token=sandbox.token("alice"), api_url=sandbox.url) as chat:
        made = chat.conversations.create(type="group")
        messages = chat.conversations.one(made.id).messages
        for number in range(3):
            messages.send(body=str(number))
        feed = messages.follow(after="beginning", max_backfill=1, on_gap=late)
        with feed, pytest.raises(UsageError, match=f"on_gap {AWAITABLE}"):
            next(feed)


class Told:
    """An async `on_progress`: called, and over."""

    def __init__(self) -> None:
        self.begun: list[tuple[int, int]] = []
        self.over: list[tuple[int, int]] = []

    async def __call__(self, loaded: int, total: int) -> None:
        self.begun.append((loaded, total))
        await asyncio.sleep(0)
        self.over.append((loaded, total))


async def moved(chat: Any, deed: str, folder: Path, on_progress: Any) -> object:
    path = folder / "up"
    await asyncio.to_thread(path.write_bytes, b"x" * 500_000)
    if deed == "upload":
        return await done(chat.attachments.upload(path, on_progress=on_progress))
    if deed == "upload_many":
        paths = [path] * 5
        return await done(chat.attachments.upload_many(paths, on_progress=on_progress))
    row = await done(chat.attachments.upload(path))
    return await done(chat.attachments.one(row).download(on_progress=on_progress))


DEEDS = pytest.mark.parametrize("deed", ["upload", "upload_many", "download"])


@DEEDS
def test_async_progress_is_awaited(sandbox: Sandbox, tmp_path: Path, deed: str) -> None:
    told = Told()

    async def scenario() -> None:
        async with connected(AsyncPoolse, sandbox) as chat:
            await moved(chat, deed, tmp_path, told)

    play(scenario)
    size = 2_500_000 if deed == "upload_many" else 500_000
    assert told.over == told.begun == sorted(set(told.over))
    assert told.over[-1] == (size, size)
    assert len(told.over) > 1


@DEEDS
@pytest.mark.parametrize("flavour", ["sync", "async"])
def test_what_progress_raises_ends_the_transfer(
    sandbox: Sandbox, tmp_path: Path, deed: str, flavour: str
) -> None:
    error = KeyError("mine")

    async def fail(_loaded: int, _total: int) -> None:
        await asyncio.sleep(0)
        raise error

    async def scenario() -> None:
        kind = Poolse if flavour == "sync" else AsyncPoolse
        async with connected(kind, sandbox) as chat:
            # In the sync client it is a plain function that returns an awaitable.
            report: Any = fail if flavour == "async" else late
            await moved(chat, deed, tmp_path, report)

    if flavour == "async":
        with pytest.raises(KeyError) as caught:
            play(scenario)
        assert caught.value is error
    else:
        with pytest.raises(UsageError, match=f"on_progress {AWAITABLE}"):
            play(scenario)
