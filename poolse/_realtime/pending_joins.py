"""PendingJoins that a socket has not answered yet.

A Phoenix server works on the joins of one socket one after the other, and on everything else that
was sent after them only then. So an answer to one says that the next one begins, and a clock that
started when a frame was sent would count the time that others took.
"""

from __future__ import annotations

__all__ = ["PendingJoins", "is_behind"]


def is_behind(ref: str | None, other: str | None) -> bool:
    """Return whether a frame was sent after another one. Refs count up over a socket's life."""
    return ref is not None and other is not None and int(ref) > int(other)


class PendingJoins:
    """Those of one socket, in the order in which they were sent."""

    def __init__(self) -> None:
        self._refs: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._refs)

    def sent(self, ref: str) -> None:
        """Count one more."""
        self._refs[ref] = None

    def answered(self, ref: str | None) -> bool:
        """Forget one that was answered; False when it is none of them."""
        if ref not in self._refs:
            return False
        self.passed(ref)
        return True

    def passed(self, ref: str) -> None:
        """Forget all up to the frame with this ref: they will not be answered after it."""
        self._refs = {other: None for other in self._refs if is_behind(other, ref)}

    def any_before(self, ref: str) -> bool:
        """Return whether the server has to work on one before it gets to this frame."""
        return any(is_behind(ref, other) for other in self._refs)

    def clear(self) -> None:
        """Forget all: the transport that carried them is gone."""
        self._refs.clear()
