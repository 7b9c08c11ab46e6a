"""The tables of topics and of pushes, and which of the topics is meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from poolse.sandbox.api import channels
from poolse.sandbox.api.push import Push, Reply
from poolse.sandbox.store import Store

__all__ = ["PUSHES", "TOPICS", "PushHandler", "Topic", "TopicMatch", "match_topic", "push_handler"]

_CONVERSATION: Final = "conversation:{conversation_id}"
_USER: Final = "user:{user_id}"


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
)

PUSHES: Final = (PushHandler(_CONVERSATION, "typing", channels.show_typing),)


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
