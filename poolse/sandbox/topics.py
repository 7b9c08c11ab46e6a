"""The tables of topics and of pushes, and which of the topics is meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from poolse.sandbox.api import calls, channels, voice
from poolse.sandbox.api.channel_push import Push, Reply
from poolse.sandbox.store import Store

__all__ = ["PUSHES", "TOPICS", "PushHandler", "Topic", "TopicMatch", "match_topic", "push_handler"]

_CONVERSATION: Final = "conversation:{conversation_id}"
_USER: Final = "user:{user_id}"
_VOICE: Final = "voice:conversation:{conversation_id}"


class Topic(NamedTuple):
    """One kind of topic; the address is written as in the spec."""

    address: str
    may_join: Callable[[Store, Push], bool]
    presence: bool
    """Whether presence is tracked."""

    @property
    def prefix(self) -> str:
        """What all topics of this kind begin with."""
        return self.address.partition("{")[0]


class PushHandler(NamedTuple):
    """What is done for one push of one kind of topic."""

    address: str
    event: str
    handle: Callable[[Store, Push], Reply]


TOPICS: Final = (
    Topic(_CONVERSATION, channels.is_member, presence=True),
    Topic(_USER, channels.is_oneself, presence=False),
    Topic(_VOICE, channels.is_member, presence=False),
)

PUSHES: Final = (
    PushHandler(_CONVERSATION, "typing", channels.show_typing),
    PushHandler(_USER, "call:invite", calls.invite),
    PushHandler(_USER, "call:accept", calls.accept),
    PushHandler(_USER, "call:decline", calls.decline),
    PushHandler(_USER, "call:busy", calls.report_busy),
    PushHandler(_USER, "call:cancel", calls.cancel),
    PushHandler(_USER, "call:hangup", calls.hang_up),
    PushHandler(_VOICE, "voice:join", voice.enter),
    PushHandler(_VOICE, "voice:leave", voice.leave),
    PushHandler(_VOICE, "voice:mute", voice.mute),
    PushHandler(_VOICE, "voice:unmute", voice.mute),
    PushHandler(_VOICE, "voice:active_speaker", voice.show_speaking),
    PushHandler(_VOICE, "voice:signal", voice.signal),
)


class TopicMatch(NamedTuple):
    """The kind of a topic, and what it has in the place of `{name}`."""

    topic: Topic
    topic_id: str


def match_topic(name: str) -> TopicMatch | None:
    """Return the kind of a topic, or None if there is none such."""
    for topic in TOPICS:
        if name.startswith(topic.prefix):
            return TopicMatch(topic, name.removeprefix(topic.prefix))
    return None


def push_handler(topic: Topic, event: str) -> PushHandler | None:
    """Return what handles an event that is pushed to a topic of this kind."""
    for push in PUSHES:
        if (push.address, push.event) == (topic.address, event):
            return push
    return None
