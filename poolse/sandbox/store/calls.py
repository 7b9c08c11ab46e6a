"""Calls that ring or are being talked in. Kept in memory: they end with the sandbox."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto

__all__ = ["Answer", "Calls", "LiveCall"]


class Answer(Enum):
    """What a callee has done so far."""

    NONE = auto()
    ACCEPTED = auto()
    REFUSED = auto()
    """Declined, or reported busy."""


@dataclass
class LiveCall:
    """A call that is not over."""

    id: str
    conversation_id: str
    caller_id: str
    answers: dict[str, Answer] = field(default_factory=dict[str, Answer])
    """By user ID of the callees."""

    @property
    def accepted(self) -> bool:
        """Whether a callee has accepted."""
        return Answer.ACCEPTED in self.answers.values()

    @property
    def refused_by_all(self) -> bool:
        """Whether there is nobody left who could accept."""
        return all(answer is Answer.REFUSED for answer in self.answers.values())

    @property
    def user_ids(self) -> list[str]:
        """IDs of all who are in the call or may still join it, the caller first."""
        callees = [name for name, answer in self.answers.items() if answer is not Answer.REFUSED]
        return [self.caller_id, *callees]


class Calls:
    """All calls that are not over. No timer ends them: that is up to the clients."""

    def __init__(self) -> None:
        self._calls: dict[str, LiveCall] = {}

    def add(self, conversation_id: str, caller_id: str, callee_ids: Iterable[str]) -> LiveCall:
        """Add a call that rings."""
        answers = dict.fromkeys(callee_ids, Answer.NONE)
        call = LiveCall(str(uuid.uuid4()), conversation_id, caller_id, answers)
        self._calls[call.id] = call
        return call

    def get(self, call_id: str, conversation_id: str) -> LiveCall | None:
        """Return a call of a conversation; None if it is over."""
        call = self._calls.get(call_id)
        return call if call is not None and call.conversation_id == conversation_id else None

    def end(self, call: LiveCall) -> None:
        """Remove a call."""
        del self._calls[call.id]
