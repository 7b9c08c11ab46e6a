"""`chat.realtime.voice(conversation_id)`: a voice room. Signalling only, no audio."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import copy_context
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, TypeVar

from poolse._auth.token_cache import subject
from poolse._generated.events import VOICE_CHANNEL, VoiceSignal
from poolse._realtime.async_driver import AsyncGetToken
from poolse._realtime.async_public import wait_changed
from poolse._realtime.channel_references import (
    ChannelReference,
    ChannelSubscription,
    EventSink,
    fresh,
)
from poolse._realtime.client import RealtimeClient
from poolse._realtime.queues import Handler, Subscriber, Wake
from poolse._realtime.settings import JOIN_WAIT
from poolse._rest.arguments import a_string, an_id, an_object
from poolse._rest.request import checked_payload
from poolse._support.argument_checks import checked_callback, checked_wait
from poolse._support.id_arguments import checked_id
from poolse._voice.room_state import (
    Effect,
    ErrorReported,
    ParticipantsChanged,
    Push,
    RoomState,
    SignalReceived,
    StatusChanged,
    VoiceParticipant,
    VoiceStatus,
)
from poolse.cancel import CancelToken
from poolse.errors import ChannelClosed, PoolseError, PushTimeout, UsageError, VoiceError

if TYPE_CHECKING:
    from uuid import UUID

    from poolse._generated.models import Me, Membership, User, VoiceSignalType

__all__ = ["AsyncVoiceRoom"]

T = TypeVar("T")

_AWAITS = True  # sync: _AWAITS = False


class AsyncVoiceRoom:
    """The voice room of a conversation: who is in it, and the WebRTC signals between its users.

    It carries no audio: connect it to a WebRTC library with `on_participants`, `offers_to`,
    `on_signal` and `send_signal`.

    There is one room per conversation and client. It is joined until `leave` was called as often as
    `join`. After a lost connection it rejoins automatically; `participants` is empty until then,
    because the others have dropped their connections to you.

    Handlers are called in order, in the thread or task of all callbacks of the client, and stay
    until you remove them. As a context manager, the room joins on entering and leaves on exit.

    Example:
        >>> room = chat.realtime.voice(conversation_id)
        >>> off = room.on_participants(lambda participants: print(*participants))
        >>> async with room:
        ...     await room.set_muted(True)
    """

    def __init__(
        self, client: RealtimeClient, get_token: AsyncGetToken, conversation_id: str
    ) -> None:
        self._client = client
        self._get_token = get_token
        self._id = conversation_id
        self._state = RoomState()
        self._reference: ChannelReference | None = None
        self._sink: EventSink | None = None
        self._join_ref: str | None = None
        self._wakes: list[Wake] = []
        self._status_handlers: list[Subscriber[Handler]] = []
        self._participants_handlers: list[Subscriber[Handler]] = []
        self._signal_handlers: list[Subscriber[Handler]] = []
        self._error_handlers: list[Subscriber[Handler]] = []

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._id} {self._state.status}>"

    @property
    def conversation_id(self) -> str:
        """ID of the conversation."""
        return self._id

    @property
    def status(self) -> VoiceStatus:
        """Status: `idle`, `joining`, `joined`, `left` or `failed`.

        A joined room is `joining` again while the connection is lost. It has `failed` if the server
        refused to join it or closed it, or if the socket failed permanently; you can join again.
        """
        return self._state.status

    @property
    def user_id(self) -> str | None:
        """Your own poolse ID, as the server announced it in this room. None until it is joined."""
        return self._state.user_id

    @property
    def participants(self) -> Mapping[str, VoiceParticipant]:
        """Users in the room, you included, by user ID. Empty unless the room is joined.

        A snapshot that never changes.
        """
        return self._state.participants

    @property
    def muted(self) -> bool:
        """Whether your microphone is muted."""
        return self._state.muted

    @property
    def speaking(self) -> bool:
        """Whether you are speaking."""
        return self._state.speaking

    def offers_to(self, user_id: str | UUID | Me | User | Membership) -> bool:
        """Return whether you send the WebRTC offer to a participant, and not the other way round.

        The user with the lower user ID offers, so that both never offer at once.

        Args:
            user_id: The poolse ID of the participant.
        """
        return self._state.offers_to(checked_id("user_id", user_id, "user"))

    def on_status(self, handler: Callable[[VoiceStatus], object]) -> Callable[[], None]:
        """Add a handler for changes of `status`.

        Args:
            handler: Called with each new status. May be async in an async client.

        Returns:
            A function that removes the handler.
        """
        return self._on(self._status_handlers, "on_status", handler)

    def on_participants(
        self, handler: Callable[[Mapping[str, VoiceParticipant]], object]
    ) -> Callable[[], None]:
        """Add a handler for changes of `participants`.

        Args:
            handler: Called with all participants after each change. May be async in an async
                client.

        Returns:
            A function that removes the handler.
        """
        return self._on(self._participants_handlers, "on_participants", handler)

    def on_signal(self, handler: Callable[[VoiceSignal], object]) -> Callable[[], None]:
        """Add a handler for WebRTC signals that are addressed to you.

        Candidates that arrive before the offer or answer of their sender are delivered after it.
        Add the handler before you join: earlier signals are not repeated.

        Args:
            handler: Called with each signal. May be async in an async client.

        Returns:
            A function that removes the handler.
        """
        return self._on(self._signal_handlers, "on_signal", handler)

    def on_error(self, handler: Callable[[PoolseError], object]) -> Callable[[], None]:
        """Add a handler for errors.

        A `VoiceError` is a refusal of the server that does not end the room. Without a handler it
        is reported to `on_socket_error`. Other errors have ended the room: its status is `failed`.

        Args:
            handler: Called with each error. May be async in an async client.

        Returns:
            A function that removes the handler.
        """
        return self._on(self._error_handlers, "on_error", handler)

    async def join(
        self,
        *,
        muted: bool = False,
        timeout: float | None = JOIN_WAIT,
        cancel: CancelToken | None = None,
    ) -> None:
        """Join the room and wait until you are in. A room that is joined stays as it is.

        Each `join` needs a `leave` of its own.

        Args:
            muted: Whether you join with the microphone muted. Ignored if the room is joined.
            timeout: Seconds; None for no timeout.
            cancel: Token that ends the wait from another thread or task.

        Raises:
            JoinError: The server refused, for example because you are not a member.
            PushTimeout: The room was not joined in time. Message and `__cause__` say why.
            ChannelClosed: The room was left, or realtime was disconnected, while waiting.
            AuthError: The token was refused, even after it was refreshed once.
            ConnectionFailed: The socket failed permanently.
            Cancelled: `cancel` was cancelled.
        """
        limit = checked_wait("timeout", timeout)
        token = await self._get_token(None)
        client, state = self._client, self._state
        with client.lock:
            if not state.is_held:
                self._acquire()
            self._carry_out(state.hold(subject(token), muted=muted is True))
            stay = state.stay
            # The channel may be joined already, by a handle of `voice_channel`.
            self._changed()
        try:
            if not await wait_changed(
                client, self._wakes, lambda: self._is_joined(stay), limit, cancel
            ):
                raise self._timed_out(limit)
        except BaseException:
            await self._release(stay)
            raise

    async def leave(self) -> None:
        """Leave the room, unless other calls of `join` still hold it. Again has no effect.

        Waits for the server's reply, a few seconds at most.
        """
        await self._release(self._state.stay)

    async def set_muted(self, muted: bool) -> None:
        """Announce that you muted or unmuted the microphone. Muting also ends `speaking`.

        Args:
            muted: Whether the microphone is muted.

        Raises:
            VoiceError: The room is not joined.
        """
        with self._client.lock:
            self._carry_out(self._state.set_muted(muted is True))

    async def set_speaking(self, speaking: bool) -> None:
        """Announce that you started or stopped speaking. Only changes are sent.

        Has no effect while the microphone is muted.

        Args:
            speaking: Whether you are speaking.

        Raises:
            VoiceError: The room is not joined.
        """
        with self._client.lock:
            self._carry_out(self._state.set_speaking(speaking is True))

    async def send_signal(
        self,
        *,
        type: VoiceSignalType | Literal["offer", "answer", "ice-candidate"],
        target_user_id: str | UUID | Me | User | Membership,
        data: Mapping[str, object],
    ) -> None:
        """Send a WebRTC signal to another participant.

        Args:
            type: Type of the signal.
            target_user_id: User it is addressed to.
            data: WebRTC object, not empty: `sdp` for an offer or answer; `candidate`, `sdpMid`,
                `sdpMLineIndex` and `usernameFragment` for a candidate.

        Raises:
            VoiceError: The room is not joined.
            UsageError: `data` is empty, which the server refuses, or cannot be encoded as JSON.
        """
        if not data:
            raise UsageError("data must not be empty: the server refuses such a signal")
        payload = checked_payload(
            {"type": a_string, "target_user_id": an_id("user"), "data": an_object},
            {"type": type, "target_user_id": target_user_id, "data": data},
        )
        with self._client.lock:
            self._carry_out(self._state.send_signal(payload))

    async def __aenter__(self) -> Self:
        await self.join()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.leave()

    def _leave_at_once(self) -> None:
        """Leave the room, even if it is still held, because realtime is disconnected."""
        with self._client.lock:
            self._carry_out(self._state.leave())
            self._let_go()

    def _on(
        self, handlers: list[Subscriber[Handler]], name: str, handler: Callable[[T], object]
    ) -> Callable[[], None]:
        checked_callback("handler", handler, awaits=_AWAITS)
        return self._client.listen(handlers, name, handler, copy_context())

    def _acquire(self) -> None:
        client = self._client
        self._let_go()
        reference = client.acquire(VOICE_CHANNEL, self._id, internal=True)
        self._reference, self._join_ref = reference, None
        self._sink = EventSink(self._receive, self._ended)
        client.add_stream(reference, self._sink)
        reference.subscription.wakes.append(self._changed)

    def _let_go(self) -> ChannelSubscription | None:
        """Release the channel, and return it if there was one."""
        reference, self._reference = self._reference, None
        if reference is None:
            return None
        reference.subscription.wakes.remove(self._changed)
        self._client.release(reference)
        return reference.subscription

    async def _release(self, stay: int) -> None:
        """Give up what one `join` of a stay holds."""
        client, subscription = self._client, None
        with client.lock:
            self._carry_out(self._state.release(stay))
            if not self._state.is_held:
                subscription = self._let_go()
        if subscription is not None:
            limit, wakes = client.settings.leave_timeout, subscription.wakes
            # Handles of `voice_channel` may keep the channel joined.
            await wait_changed(
                client, wakes, lambda: subscription.is_left or not subscription.is_over, limit
            )

    def _is_joined(self, stay: int) -> bool:
        """Return whether the room is joined, or raise why it will not be."""
        state, reference = self._state, self._reference
        if state.stay == stay and state.error is not None:
            raise fresh(state.error)
        if state.stay != stay or not state.is_held or reference is None:
            raise ChannelClosed("the voice room was left")
        _ = reference.joined
        return state.status == "joined"

    def _timed_out(self, limit: float | None) -> PoolseError:
        text = f"the voice room was not joined within {limit or 0.0:g} s (join timeout)"
        error = PushTimeout(text)
        reference = self._reference
        return error if reference is None else reference.subscription.explain(error)

    def _changed(self) -> None:
        """Notice whether the channel is joined. The lock is held, as for the three below."""
        if self._reference is None:
            return
        channel = self._reference.subscription.channel
        join_ref = channel.join_ref if channel.state == "joined" else None
        if join_ref == self._join_ref:
            return
        self._join_ref = join_ref
        state = self._state
        try:
            self._carry_out(state.channel_lost() if join_ref is None else state.channel_joined())
        except PoolseError as error:
            # Too much is queued already. This is called by the driver, which must not fail.
            self._client.callbacks.report_error(error)

    def _receive(self, event: object) -> None:
        self._carry_out(self._state.receive(event))

    def _ended(self, error: PoolseError | None) -> None:
        self._carry_out(self._state.ended(error))
        self._let_go()

    def _carry_out(self, effects: list[Effect]) -> None:
        client, reference = self._client, self._reference
        for effect in effects:
            match effect:
                case Push(event, payload) if reference is not None:
                    client.send(reference, event, payload)
                case StatusChanged(status):
                    client.notify(self._status_handlers, status)
                case ParticipantsChanged(participants):
                    client.notify(self._participants_handlers, participants)
                case SignalReceived(signal):
                    client.notify(self._signal_handlers, signal)
                case ErrorReported(error):
                    client.notify(self._error_handlers, error)
                    if isinstance(error, VoiceError) and not self._error_handlers:
                        client.callbacks.report_error(error)
                case _:
                    pass
        for wake in self._wakes:
            wake()
