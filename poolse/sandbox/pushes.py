"""Pushes: what is the same for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from poolse.sandbox.api.call import Effect
from poolse.sandbox.api.channel_push import Push, Reply
from poolse.sandbox.api_filter import ApiFilter
from poolse.sandbox.channel_registry import Session
from poolse.sandbox.channel_validation import check_push, check_reply
from poolse.sandbox.errors import ApiRefusal
from poolse.sandbox.frames import Frame
from poolse.sandbox.store import Store
from poolse.sandbox.topics import PushHandler, TopicMatch, push_handler

if TYPE_CHECKING:
    from poolse.sandbox import spec

__all__ = ["Pushes", "UnhandledPush", "as_push"]


class UnhandledPush(Exception):  # noqa: N818  (it is the client's doing)
    """Nothing handles the push, or nothing handles its payload. In Phoenix the channel crashes."""


class Pushes:
    """The counterpart of `Rest` for what is pushed to joined channels."""

    def __init__(self, store: Store, publish: Callable[[Effect], None]) -> None:
        """Take what it stands on; `publish` is called with each effect after its commit."""
        self._store = store
        self._filter = ApiFilter(store.options.api)
        self._publish = publish

    def carry_out(self, session: Session, match: TopicMatch, frame: Frame) -> Reply:
        """Carry out a push. Its reply is sent if it has a response.

        Raises:
            UnhandledPush: The channel crashes.
        """
        # Loaded by the first push, as `rest` does by the first request.
        from poolse.sandbox.spec import channels

        handler = push_handler(match.topic, frame.event)
        if handler is None:
            raise UnhandledPush
        known = channels(self._filter.version)[handler.address].pushes.get(handler.event)
        if known is None:
            raise UnhandledPush
        check_push(frame.topic, frame.event, frame.payload)
        push = as_push(session, match, frame)
        reply = self._reply(handler, known, push)
        check_reply(frame.topic, frame.event, reply)
        for effect in reply.effects:
            self._publish(effect)
        return reply

    def _reply(self, handler: PushHandler, known: spec.Push, push: Push) -> Reply:
        complaints = known.payload.complaints(push.payload)
        if not complaints:
            try:
                with self._store.transaction():
                    return handler.handle(self._store, push)
            except ApiRefusal as refusal:
                reason = refusal.code
        elif known.reply is None:
            raise UnhandledPush
        else:
            reason = "validation_failed"
        return Reply(None if known.reply is None else {"reason": reason}, status="error")


def as_push(session: Session, match: TopicMatch, frame: Frame) -> Push:
    """Return what a frame asks for. A payload that is no object counts as empty."""
    payload = frame.payload if isinstance(frame.payload, dict) else {}
    return Push(
        tenant_id=session.tenant_id,
        user_id=session.user_id,
        external_id=session.external_id,
        topic=frame.topic,
        topic_id=match.topic_id,
        payload=payload,
        session=session,
    )
