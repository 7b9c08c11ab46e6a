"""The page for people who come from JavaScript names nothing that there is not."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import cast

import pytest

import poolse
from poolse import (
    ConversationChannel,
    ConversationState,
    InboxState,
    Poolse,
    UserChannel,
    VoiceRoom,
)
from tests.architecture.tree import ROOT

TEXT = (ROOT / "docs/from-javascript.md").read_text("utf-8")
NEW = "New in Python"
STEP = re.compile(r"(?P<name>\w+)(?:\((?P<arguments>[^)]*)\))?(?:\.|$)")
JAVASCRIPT = re.findall(
    r"\w+",
    """
    getToken apiUrl wsUrl socketPath fetch maxRetries baseBackoffMs maxBackoffMs
    generateIdempotencyKey onSocketError userResolver destroy
    show list create one update listMembers addMembers addMember removeMember send markRead
    replies addReaction removeReaction delete requestUpload upload downloadUrl request
    peek get subscribe invalidate invalidateAll
    connect disconnect getStatus onStatus conversation user leave
    onMessage onMessageUpdated onMessageDeleted onReactionAdded onReactionRemoved onMemberRead
    onTypingStart onTypingStop onPresenceState onPresenceDiff getPresenceState sendTyping
    onMention onConversationCreated
    voice join setMuted toggleMute getParticipants onParticipants onError
    PoolseError ApiError AuthError RateLimitedError NetworkError docUrl retryAfterMs
""",
)


def rows() -> Iterator[tuple[str, str]]:
    """The names of each row, JavaScript's and Python's."""
    for section in TEXT.split("\n## ")[1:]:
        for line in section.splitlines():
            if line.startswith("| ") and "---" not in line:
                first, second, *_ = line.strip("| ").split(" | ")
                yield ("", first) if section.startswith(NEW) else (first, second)


def names() -> list[str]:
    """Every name in Python, once."""
    return list(dict.fromkeys(name for _, cell in rows() for name in re.findall("`([^`]+)`", cell)))


def found(expression: str) -> object:
    """What a name of the page stands for; each step must be there, and take those arguments."""
    if expression.endswith("="):
        takes(Poolse, expression)
        return None
    if expression.startswith("poolse.testing."):
        module, _, name = expression.rpartition(".")
        return getattr(import_module(module), name)
    steps = [(step["name"], step["arguments"]) for step in STEP.finditer(expression)]
    start, arguments = steps[0]
    thing = ROOTS[start]() if start in ROOTS else getattr(poolse, start)
    takes(thing, arguments)
    for name, arguments in steps[1:]:
        # On a class, what an object is given when it is made is only declared.
        thing = getattr(thing, name, None) or declared(thing, name)
        takes(thing, arguments)
        if name == "one":
            thing = cast("Callable[[str], object]", thing)("id")
    return thing


def takes(thing: object, arguments: str | None) -> None:
    """Whether it takes the keywords that the page says."""
    keywords = re.findall(r"(\w+)=", arguments or "")
    if keywords:
        known = inspect.signature(cast("Callable[..., object]", thing)).parameters
        assert [one for one in keywords if one not in known] == []


def declared(owner: object, name: str) -> str:
    docs = [inspect.getdoc(one) or "" for one in inspect.getmro(cast("type", owner))]
    assert any(f"    {name}:" in doc for doc in docs), f"{owner} has no {name}"
    return name


def chat() -> Poolse:
    """A client that nobody uses."""
    return Poolse(token="t", api_url="http://localhost")


ROOTS: dict[str, Callable[[], object]] = {
    "attachment": lambda: chat().attachments.one("id"),
    "chat": chat,
    "conversation": lambda: chat().conversations.one("id"),
    "inbox": lambda: InboxState,
    "live": lambda: ConversationChannel,
    "message": lambda: chat().messages.one("id"),
    "mine": lambda: UserChannel,
    "room": lambda: VoiceRoom,
    "state": lambda: ConversationState,
}


@pytest.mark.parametrize("name", names())
def test_every_python_name_exists(name: str) -> None:
    found(name)


def test_every_javascript_name_is_documented() -> None:
    told = " ".join(cell for cell, _ in rows())
    assert [name for name in JAVASCRIPT if not re.search(rf"\b{name}\b", told)] == []


def test_a_wrong_name_would_be_noticed() -> None:
    for wrong in ("chat.me.shown()", "api_uri=", "live.on_mesage(handler=)", "chat.me.show(a=)"):
        with pytest.raises((AssertionError, AttributeError)):
            found(wrong)
