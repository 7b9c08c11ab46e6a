"""`chat.realtime.calls()`: the calls of the signed-in user. Signalling only, no audio."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from poolse._auth.token_cache import subject
from poolse._calls.call_states import (
    Answer,
    CallRecord,
    CallRegistry,
    CallStatus,
    Changed,
    Effect,
)
from poolse._generated.async_channels import AsyncUserChannel
from poolse._generated.events import USER
from poolse._realtime.async_driver import AsyncGetToken
from poolse._realtime.async_public import AsyncJoined, wait_changed
from poolse._realtime.channel_references import ChannelReference, EventSink
from poolse._realtime.client import RealtimeClient
from poolse._realtime.queues import Handler, Subscriber, Wake
from poolse._realtime.settings import JOIN_WAIT, REPLY_WAIT
from poolse._support.argument_checks import checked_callback, checked_wait
from poolse._support.background import async_start_later
from poolse.cancel import CancelToken
from poolse.errors import ChannelClosed, PoolseError, PushError, UsageError
from poolse.types import UNSET, Unset

if TYPE_CHECKING:
    from uuid import UUID

    from poolse._generated.async_resources import AsyncConversationHandle
    from poolse._generated.models import CallMedia, Conversation

__all__ = ["AsyncCall", "AsyncCalls"]

LEAVE_WAIT: Final = 2.0
"""Seconds to wait for the reply to a signal while leaving."""

_AWAITS = True  # sync: _AWAITS = False


class AsyncCall:
    """A call, and what you can do with it.

    It rings until it is accepted, refused or cancelled, or until nobody answers for 45 seconds.
    Calls are compared by their ID.
    """

    def __init__(self, calls: AsyncCalls, record: CallRecord) -> None:
        self._calls = calls
        self._record = record

    def __repr__(self) -> str:
        direction = "incoming" if self.is_incoming else "outgoing"
        return f"<{type(self).__name__} {self.id} {direction} {self.status}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AsyncCall) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def id(self) -> str:
        """ID of the call."""
        return self._record.id

    @property
    def conversation_id(self) -> str:
        """ID of the conversation that the call belongs to."""
        return self._record.conversation_id

    @property
    def caller_user_id(self) -> str:
        """The poolse ID of the user who calls."""
        return self._record.caller_user_id

    @property
    def callee_user_ids(self) -> tuple[str, ...]:
        """The poolse IDs of the users who are called. Empty for an incoming call."""
        return self._record.callee_user_ids

    @property
    def media(self) -> str:
        """Media of the call: `audio` or `video`. What this release does not know is `audio`."""
        return self._record.media

    @property
    def is_incoming(self) -> bool:
        """Whether another user calls."""
        return self._record.is_incoming

    @property
    def status(self) -> CallStatus:
        """Status: `ringing`, `accepted`, `declined`, `busy`, `cancelled`, `ended` or `missed`."""
        return self._record.status

    @property
    def accepted_by(self) -> str | None:
        """The poolse ID of the user who accepted the call, or None."""
        return self._record.accepted_by

    @property
    def refusals(self) -> dict[str, Literal["declined", "busy"]]:
        """Users who refused an outgoing call: `declined` or `busy`, by their poolse IDs."""
        return dict(self._record.refusals)

    async def accept(self, timeout: float | None = REPLY_WAIT) -> None:
        """Accept an incoming call. Sent once the channel is joined.

        Args:
            timeout: Seconds for the join, the push and the reply together; None for no timeout.

        Raises:
            CallStateError: It does not ring any more, or is your own.
            PushError: The server refused, because the call is over.
            PushTimeout: No reply was received in time.
            PushOutcomeUnknown: The connection or the channel was lost before the reply.
            ChannelClosed: The calls were left, or realtime was disconnected.
        """
        await self._calls.accept(self, timeout)

    async def decline(self, timeout: float | None = REPLY_WAIT) -> None:
        """Decline an incoming call. Arguments and errors as for `accept`."""
        await self._calls.decline(self, timeout)

    async def busy(self, timeout: float | None = REPLY_WAIT) -> None:
        """Decline an incoming call because the user is busy. See `accept`."""
        await self._calls.busy(self, timeout)

    async def cancel(self, timeout: float | None = REPLY_WAIT) -> None:
        """Cancel your own call before it is accepted. Arguments and errors as for `accept`."""
        await self._calls.cancel(self, timeout)

    async def hangup(self, timeout: float | None = REPLY_WAIT) -> None:
        """End a call that was accepted. Arguments and errors as for `accept`."""
        await self._calls.hangup(self, timeout)

    async def wait_answered(
        self, timeout: float | None = None, *, cancel: CancelToken | None = None
    ) -> CallStatus:
        """Wait until the call no longer rings.

        Do not wait in a callback: callbacks are called one at a time.

        Args:
            timeout: Seconds to wait at most; None for no timeout.
            cancel: Token that ends the wait from another thread or task.

        Returns:
            The status, which is still `ringing` after a timeout.

        Raises:
            Cancelled: `cancel` was cancelled.
        """
        return await self._calls._wait(self._record, ("ringing",), timeout, cancel)  # pyright: ignore[reportPrivateUsage]

    async def wait_ended(
        self, timeout: float | None = None, *, cancel: CancelToken | None = None
    ) -> CallStatus:
        """Wait until the call is over. Arguments, result and errors as for `wait_answered`."""
        return await self._calls._wait(  # pyright: ignore[reportPrivateUsage]
            self._record, ("ringing", "accepted"), timeout, cancel
        )


class AsyncCalls(AsyncJoined):
    """The calls of the signed-in user: signalling only. For audio and video see `call_tokens`.

    Calls arrive once it is entered as a context manager, or after `wait_joined`. Callbacks are
    called with the call, in the order of the signals, in the thread or task of all callbacks
    of the client. The status of a call does not wait for them.

    A call that comes during another one is answered with `busy`. A call that is not answered within
    45 seconds is `missed`, and cancelled or declined.
    """

    def __init__(
        self,
        client: RealtimeClient,
        get_token: AsyncGetToken,
        registry: CallRegistry,
    ) -> None:
        self._client = client
        self._get_token = get_token
        self._registry = registry
        self._channel: AsyncUserChannel | None = None
        self._reference: ChannelReference | None = None
        self._is_lost = False
        self._sink = EventSink(self._receive, self._ended)
        self.is_left: bool = False
        """Whether `leave` was called."""
        self._handlers: dict[str, list[Subscriber[Handler]]] = {}
        self._wakes: list[Wake] = []
        self._deadline: float | None = None
        self._cancel_timer: Callable[[], object] = lambda: None

    def __repr__(self) -> str:
        state = "left" if self.is_left else f"{len(self._registry.calls)} active"
        return f"<{type(self).__name__} {state}>"

    @property
    def active(self) -> list[AsyncCall]:
        """Calls that ring or are accepted."""
        with self._client.lock:
            return [AsyncCall(self, record) for record in self._registry.calls.values()]

    def on_incoming(self, handler: Callable[[AsyncCall], object]) -> Callable[[], None]:
        """Add a handler for incoming calls. Not called for those that are answered with `busy`.

        Event: `call:incoming`.

        Args:
            handler: Called with each call. May be async in an async client.

        Returns:
            A function that removes the handler.
        """
        return self._on("incoming", handler)

    def on_accepted(self, handler: Callable[[AsyncCall], object]) -> Callable[[], None]:
        """Add a handler for calls that were accepted. See `on_incoming`.

        Event: `call:accepted`.
        """
        return self._on("accepted", handler)

    def on_declined(self, handler: Callable[[AsyncCall], object]) -> Callable[[], None]:
        """Add a handler for calls that all users declined. See `on_incoming`.

        Event: `call:declined`.
        """
        return self._on("declined", handler)

    def on_busy(self, handler: Callable[[AsyncCall], object]) -> Callable[[], None]:
        """Add a handler for calls whose users are all busy. See `on_incoming`.

        Event: `call:busy`.
        """
        return self._on("busy", handler)

    def on_cancelled(self, handler: Callable[[AsyncCall], object]) -> Callable[[], None]:
        """Add a handler for calls that were cancelled before they were accepted.

        Event: `call:cancelled`.
        """
        return self._on("cancelled", handler)

    def on_ended(self, handler: Callable[[AsyncCall], object]) -> Callable[[], None]:
        """Add a handler for calls that ended after they were accepted. See `on_incoming`.

        Also called for a call that was answered on another device, and if the socket fails
        permanently.

        Event: `call:ended`.
        """
        return self._on("ended", handler)

    def on_missed(self, handler: Callable[[AsyncCall], object]) -> Callable[[], None]:
        """Add a handler for calls that nobody answered. See `on_incoming`."""
        return self._on("missed", handler)

    async def invite(
        self,
        conversation_id: str | UUID | Conversation | AsyncConversationHandle,
        media: CallMedia | Literal["audio", "video"] | Unset = UNSET,
        timeout: float | None = REPLY_WAIT,
    ) -> AsyncCall:
        """Call the other members of a conversation.

        Pushes `call:invite`.

        Args:
            conversation_id: ID of the conversation, or an object with that ID.
            media: `audio` or `video`. Server default: `audio`.
            timeout: Seconds for the join, the push and the reply together; None for no timeout.

        Returns:
            The call, which rings.

        Raises:
            PushError: The server refused.
            PushTimeout: No reply was received in time.
            PushOutcomeUnknown: The connection or the channel was lost before the reply.
            ChannelClosed: The calls were left, or realtime was disconnected.
        """
        channel, registry = await self._started(), self._registry
        with self._client.lock:
            registry.begin_invite()
        try:
            reply = await channel.invite_to_call(
                conversation_id=conversation_id, media=media, timeout=timeout
            )
            with self._client.lock:
                record, effects = registry.invited(
                    reply.call_id,
                    reply.conversation_id,
                    reply.media,
                    reply.callee_user_ids or (),
                    self._client.clock(),
                )
                self._carry_out(effects)
        finally:
            with self._client.lock:
                registry.end_invite()
        return AsyncCall(self, record)

    async def accept(self, call: AsyncCall | str, timeout: float | None = REPLY_WAIT) -> None:
        """Accept an incoming call, like `accept` of the call.

        Pushes `call:accept`.

        Args:
            call: The call, or its ID.
            timeout: Seconds for the join, the push and the reply together; None for no timeout.

        Raises:
            UsageError: No such call.
            CallStateError: It does not ring any more, or is your own.
            PushError: The server refused, because the call is over.
            PushTimeout: No reply was received in time.
            PushOutcomeUnknown: The connection or the channel was lost before the reply.
            ChannelClosed: The calls were left, or realtime was disconnected.
        """
        record, channel, registry = self._record(call), await self._started(), self._registry
        with self._client.lock:
            registry.begin_accept(record)
            self._set_timer()
        is_confirmed = is_refused = False
        try:
            await _answer(channel, record, "accept", timeout)
            is_confirmed = True
        except PushError:
            is_refused = True
            raise
        finally:
            with self._client.lock:
                self._carry_out(
                    registry.end_accept(record, is_confirmed=is_confirmed, is_refused=is_refused)
                )

    async def decline(self, call: AsyncCall | str, timeout: float | None = REPLY_WAIT) -> None:
        """Decline an incoming call. Arguments and errors as for `accept`.

        Pushes `call:decline`.
        """
        record, channel = self._record(call), await self._started()
        self._change(partial(self._registry.refuse, record, "declined"))
        await _answer(channel, record, "decline", timeout)

    async def busy(self, call: AsyncCall | str, timeout: float | None = REPLY_WAIT) -> None:
        """Decline an incoming call because the user is busy. See `accept`.

        Pushes `call:busy`.
        """
        record, channel = self._record(call), await self._started()
        self._change(partial(self._registry.refuse, record, "busy"))
        await _answer(channel, record, "busy", timeout)

    async def cancel(self, call: AsyncCall | str, timeout: float | None = REPLY_WAIT) -> None:
        """Cancel your own call before it is accepted. Arguments and errors as for `accept`.

        Pushes `call:cancel`.
        """
        record, channel = self._record(call), await self._started()
        self._change(partial(self._registry.cancel, record))
        await _answer(channel, record, "cancel", timeout)

    async def hangup(self, call: AsyncCall | str, timeout: float | None = REPLY_WAIT) -> None:
        """End a call that was accepted. Arguments and errors as for `accept`.

        Pushes `call:hangup`.
        """
        record, channel = self._record(call), await self._started()
        self._change(partial(self._registry.hang_up, record))
        await channel.hang_up(
            call_id=record.id, conversation_id=record.conversation_id, timeout=timeout
        )

    async def wait_joined(
        self, timeout: float | None = JOIN_WAIT, *, cancel: CancelToken | None = None
    ) -> None:
        """Wait until the user's channel is joined, so that calls arrive.

        Args:
            timeout: Seconds; None for no timeout.
            cancel: Token that ends the wait from another thread or task.

        Raises:
            UsageError: The token does not name its user, and `user_id` was not passed.
            JoinError: The server refused to join the channel.
            PushTimeout: The channel was not joined in time.
            ChannelClosed: The calls were left, or the client closed.
            AuthError: The token was refused, even after it was refreshed once.
            ConnectionFailed: The socket failed permanently.
            Cancelled: `cancel` was cancelled.
        """
        await (await self._started()).wait_joined(timeout, cancel=cancel)

    async def leave(self) -> None:
        """End all calls and callbacks, and leave the user's channel. Again has no effect.

        Calls that ring are cancelled or declined, and the others hung up.
        """
        channel = self._channel
        try:
            for call in self.active:
                action = self.decline if call.is_incoming else self.cancel
                try:
                    await (self.hangup if call.status == "accepted" else action)(call, LEAVE_WAIT)
                except PoolseError:
                    # It has ended by itself, or the connection has.
                    pass
        finally:
            # Also if the task is cancelled, or Ctrl-C is pressed, meanwhile.
            with self._client.lock:
                self.is_left = True
                self._carry_out(self._registry.lost())
                self._handlers.clear()
            if channel is not None:
                await channel.leave()

    def _on(self, event: str, handler: Callable[[AsyncCall], object]) -> Callable[[], None]:
        checked_callback("handler", handler, awaits=_AWAITS)
        if self.is_left:
            raise ChannelClosed("the calls were left")
        handlers = self._handlers.setdefault(event, [])
        return self._client.listen(handlers, f"on_{event}", handler, copy_context())

    async def _started(self) -> AsyncUserChannel:
        """Return the user's channel, which is joined or will be."""
        client, user_id = self._client, self._registry.user_id
        if not user_id:
            user_id = subject(await self._get_token(None)) or ""
        if not user_id:
            raise UsageError("the token does not name its user: pass user_id= to calls()")
        with client.lock:
            if self.is_left:
                raise ChannelClosed("the calls were left")
            self._registry.user_id = user_id
            if self._channel is None or self._is_lost:
                # Of a socket that was given up, which is tried again.
                if self._reference is not None:
                    client.release(self._reference)
                self._is_lost = False
                self._reference = client.acquire(USER, user_id, internal=True)
                self._channel = AsyncUserChannel(client, self._reference)
                client.add_stream(self._reference, self._sink)
            return self._channel

    def _record(self, call: AsyncCall | str) -> CallRecord:
        if isinstance(call, AsyncCall):
            return call._record  # pyright: ignore[reportPrivateUsage]
        with self._client.lock:
            record = self._registry.calls.get(call)
        if record is None:
            raise UsageError(f"there is no active call {call!r}")
        return record

    def _receive(self, event: object) -> None:
        self._carry_out(self._registry.receive(event, self._client.clock()))

    def _ended(self, _: PoolseError | None) -> None:
        self._is_lost = True
        self._carry_out(self._registry.lost())

    def _change(self, change: Callable[[], list[Effect]]) -> None:
        with self._client.lock:
            self._carry_out(change())

    def _carry_out(self, effects: list[Effect]) -> None:
        """Work off what the registry decided. The lock is held."""
        for effect in effects:
            match effect:
                case Changed(record):
                    event = "incoming" if record.status == "ringing" else record.status
                    handlers = self._handlers.get(event, [])
                    self._client.notify(handlers, AsyncCall(self, record))
                case Answer(record, action):
                    # Not here: an event is being delivered, and nothing may be sent meanwhile.
                    async_start_later(0, partial(self._tell, record, action))
        self._set_timer()
        for wake in self._wakes:
            wake()

    async def _tell(self, record: CallRecord, action: Literal["busy", "cancel", "decline"]) -> None:
        """Tell the server of a decision that no caller waits for."""
        try:
            await _answer(await self._started(), record, action, REPLY_WAIT)
        except PoolseError as error:
            self._client.callbacks.report_error(error)

    def _set_timer(self) -> None:
        deadline = self._registry.deadline
        if deadline != self._deadline:
            self._cancel_timer()
            self._deadline = deadline
            if deadline is not None:
                left = max(0.0, deadline - self._client.clock())
                self._cancel_timer = async_start_later(left, self._expire)

    async def _expire(self) -> None:
        with self._client.lock:
            self._deadline = None
            self._carry_out(self._registry.expire(self._client.clock()))

    async def _wait(
        self,
        record: CallRecord,
        statuses: tuple[CallStatus, ...],
        timeout: float | None,
        cancel: CancelToken | None,
    ) -> CallStatus:
        def has_changed() -> bool:
            return record.status not in statuses

        limit = checked_wait("timeout", timeout)
        await wait_changed(self._client, self._wakes, has_changed, limit, cancel)
        return record.status


async def _answer(
    channel: AsyncUserChannel,
    record: CallRecord,
    action: Literal["accept", "busy", "cancel", "decline"],
    timeout: float | None,
) -> None:
    if action == "cancel":
        await channel.cancel_call(
            call_id=record.id, conversation_id=record.conversation_id, timeout=timeout
        )
        return
    pushes = {
        "accept": channel.accept_call,
        "busy": channel.report_busy,
        "decline": channel.decline_call,
    }
    await pushes[action](
        call_id=record.id,
        conversation_id=record.conversation_id,
        caller_user_id=record.caller_user_id,
        timeout=timeout,
    )
