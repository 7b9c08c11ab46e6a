"""Every public entrance of a client, of what came out of it, and of a feed; sync and async."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import attrs

from poolse import AsyncPoolseBackend, Poolse, PoolseBackend, UserProfile
from poolse.testing import Sandbox
from tests.follow.sync_and_async_feeds import opened
from tests.realtime.raw_rest import post

__all__ = ["LIVE", "REST", "Entrance", "Place", "close", "done", "make_place", "try_out"]

TEXT = b"some text"


@attrs.define
class Place:
    """A client of alice's with all that she holds of it, made while it was well."""

    chat: Any
    backend: Any
    conversation_id: str
    user_id: str
    attachment_id: str
    live: Any = None
    events: Any = None
    feed: Any = None
    item: Any = None
    calls: Any = None
    provider: Any = None
    speak: Callable[[], object] = print
    """Let somebody else write a message."""


def _profile(id: str) -> UserProfile:
    return UserProfile(display_name=id, avatar_url=None)


async def done(result: Any) -> Any:
    """What a method of either flavour returns."""
    return await result if inspect.isawaitable(result) else result


async def step(iterator: Any) -> Any:
    """The next of what an iterator of either flavour gives."""
    # The end of an iterator is no error.
    return await anext(iterator, None) if hasattr(iterator, "__anext__") else next(iterator, None)


async def entered(manager: Any) -> Any:
    """Enter a context manager of either flavour, and leave it."""
    if hasattr(manager, "__aenter__"):
        async with manager as inner:
            return inner
    with manager as inner:
        return inner


Entrance = Callable[[Place], Any]
"""Returns what the method gives, or a coroutine of it."""


async def make_place(flavour: type[Any], sandbox: Sandbox, *, live: bool) -> Place:
    """A client that has called, and listens to a channel and a feed if it is to be `live`."""
    backend_type = PoolseBackend if flavour is Poolse else AsyncPoolseBackend
    backend = backend_type(api_url=sandbox.url, api_key=sandbox.api_key)
    chat = flavour(
        api_url=sandbox.url,
        token=sandbox.token("alice"),
        user_resolver=_profile,
        on_socket_error=lambda _: None,
        max_retries=0,
    )
    me = await done(chat.me.show())
    conversation = await done(chat.conversations.create(type="group"))
    handle = chat.conversations.one(conversation.id)
    attachment = await done(
        chat.attachments.upload(TEXT, content_type="text/plain", filename="a.txt")
    )
    await done(handle.messages.send(body="first"))
    await done(handle.messages.send(body="second"))
    place = Place(chat, backend, conversation.id, me.id, attachment.id)
    path = f"/v1/conversations/{conversation.id}/messages"
    place.speak = partial(post, sandbox, path, {"body": "an event"})
    place.provider = backend.token_provider("bob")
    await done(backend.users.create(external_id="bob", display_name="bob"))
    place.calls = chat.realtime.calls()
    if live:
        await done(place.calls.wait_joined(timeout=10))
        place.live = chat.realtime.conversation(conversation.id)
        await done(place.live.wait_joined(timeout=10))
        place.events = place.live.events()
        place.feed = handle.messages.follow(after="beginning")
        place.item = await step(place.feed)
    return place


async def close(place: Place) -> None:
    """Close all of it."""
    for thing in (place.feed, place.chat, place.backend):
        if thing is not None:
            end = getattr(thing, "aclose", None) or thing.close
            await done(end())


def _handle(place: Place) -> Any:
    return place.chat.conversations.one(place.conversation_id)


def _attachment(place: Place) -> Any:
    return place.chat.attachments.one(place.attachment_id)


async def _first(iterable: Any) -> Any:
    return await step(aiter(iterable) if hasattr(iterable, "__aiter__") else iter(iterable))


async def _next_event(place: Place, events: Any) -> Any:
    """The next event, where one is sure to come if any does."""
    place.speak()
    return await step(events)


async def _rest_of(place: Place, feed: Any) -> Any:
    """What is at hand, and one message more, which has to come live."""
    await step(feed)
    place.speak()
    return await step(feed)


async def _starts(place: Place) -> None:
    """Wait until the feed is live. If it has not begun, it begins."""
    if place.item is not None:
        await done(place.feed.wait_started(10))
        return
    async with opened(place.feed):
        await done(place.feed.wait_started(10))


async def _follow(place: Place, feed: Any) -> Any:
    """The messages of a new feed."""
    try:
        await step(feed)
        return await _rest_of(place, feed)
    finally:
        await done(feed.aclose() if hasattr(feed, "aclose") else feed.close())


async def _uploaded(results: Any) -> None:
    """Raise what went wrong with the only file, if anything did."""
    for result in await done(results):
        if isinstance(result, Exception):
            raise result


REST: dict[str, Entrance] = {
    "me.show": lambda p: p.chat.me.show(),
    "conversations.list": lambda p: p.chat.conversations.list(),
    "messages.send": lambda p: _handle(p).messages.send(body="hi"),
    "messages.iter": lambda p: _first(_handle(p).messages.iter()),
    "rest.request": lambda p: p.chat.rest.request(method="GET", path="/v1/me"),
    "attachments.upload": lambda p: p.chat.attachments.upload(TEXT, content_type="text/plain"),
    "attachments.upload_many": lambda p: _uploaded(
        p.chat.attachments.upload_many([Path(__file__)])
    ),
    "attachments.download": lambda p: _attachment(p).download(),
    "with_options": lambda p: p.chat.with_options(timeout=5.0).me.show(),
    "users.get": lambda p: p.chat.users.get("u1"),
    "token_provider": lambda p: p.provider(),
    "backend.users.create": lambda p: p.backend.users.create(external_id="c", display_name="c"),
}
"""What needs no socket."""

LIVE: dict[str, Entrance] = {
    "realtime.connect": lambda p: p.chat.realtime.connect(),
    "realtime.status": lambda p: p.chat.realtime.status,
    "realtime.dropped": lambda p: p.chat.realtime.dropped,
    "realtime.on_status": lambda p: p.chat.realtime.on_status(print),
    "stats": lambda p: p.chat.stats(),
    "realtime.user": lambda p: _join(p.chat.realtime.user(p.user_id)),
    "realtime.conversation": lambda p: _join(p.chat.realtime.conversation(p.conversation_id)),
    "realtime.calls": lambda p: _join(p.chat.realtime.calls()),
    "calls.invite": lambda p: p.calls.invite(p.conversation_id),
    "calls.on_incoming": lambda p: p.calls.on_incoming(print),
    "calls.active": lambda p: p.calls.active,
    "calls.leave": lambda p: p.calls.leave(),
    "live.wait_joined": lambda p: p.live.wait_joined(timeout=10),
    "live.on_message": lambda p: p.live.on_message(print),
    "live.events": lambda p: _next_event(p, p.live.events()),
    "live.send_typing": lambda p: p.live.send_typing(),
    "live.presence_state": lambda p: p.live.presence_state,
    "live as context": lambda p: entered(p.live),
    "live.leave": lambda p: p.live.leave(),
    "events.next": lambda p: _next_event(p, p.events),
    "messages.follow": lambda p: _follow(p, _handle(p).messages.follow(after="beginning")),
    "chat.follow": lambda p: _follow(
        p, p.chat.follow([p.conversation_id], after="beginning", skip_own=False)
    ),
    "feed.next": lambda p: _rest_of(p, p.feed),
    "item.ack": lambda p: p.item.ack(),
    "item.reply": lambda p: p.item.reply(body="reply"),
    "feed.wait_started": _starts,
    "feed.close": lambda p: p.feed.aclose() if hasattr(p.feed, "aclose") else p.feed.close(),
    "realtime.leave": lambda p: p.chat.realtime.leave(p.conversation_id),
    "realtime.disconnect": lambda p: p.chat.realtime.disconnect(),
}
"""What belongs to realtime and to feeds."""


async def _join(live: Any) -> None:
    await done(live.wait_joined(timeout=10))


async def try_out(entrance: Entrance, place: Place) -> str:
    """What comes of it: `works`, or the error as a user sees it."""
    try:
        await done(entrance(place))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "works"
