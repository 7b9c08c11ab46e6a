"""Output of `poolse tail` in a pipe; `poolse.cli.live_view` is for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import attrs

from poolse.cli.sanitize import decoration, one_line, sanitized
from poolse.cli.session import Session

if TYPE_CHECKING:
    from poolse import Attachment, Message, RealtimeStatus

__all__ = ["JsonView", "LineView", "Status", "text_of"]


@attrs.frozen
class Status:
    """The status of the connection, and of the users."""

    connection: RealtimeStatus = "idle"
    here: tuple[str, ...] = ()
    typing: tuple[str, ...] = ()
    reason: str = ""
    """Why the connection was lost, if it is known."""


class _PipeView:
    """Prints messages to the pipe, and lost connections to standard error."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lost = False

    def status(self, status: Status) -> None:
        """Print when the connection is lost, and when it is back."""
        lost = status.connection == "reconnecting"
        if lost and not self._lost:
            self._session.note("connection lost, reconnecting")
        elif self._lost and status.connection == "connected":
            self._session.note("reconnected; no message was missed")
        else:
            return
        self._lost = lost

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        """Do nothing: there is nothing to clean up."""


class JsonView(_PipeView):
    """Each message as JSON."""

    def message(self, message: Message, name: str) -> None:  # noqa: ARG002
        """One line."""
        from poolse import to_dict

        self._session.print_json(to_dict(message))


class LineView(_PipeView):
    """Each message as text, in one line."""

    def message(self, message: Message, name: str) -> None:
        """Time, number, name, text."""
        time = message.inserted_at.astimezone()
        text = one_line(text_of(message))
        self._session.print_text(f"{time:%Y-%m-%d %H:%M:%S}  #{message.sequence}  {name}  {text}")


def text_of(message: Message) -> str:
    """Return the text of a message, safe to show, in one or more lines."""
    if message.deleted_at is not None:
        return "(deleted)"
    body = sanitized(message.body or "")
    parts = [body, *map(_file, message.attachments or ())]
    start = decoration("↳ ") if message.thread_root_id else ""
    end = " (edited)" if message.edited_at else ""
    return start + " ".join(filter(None, parts)) + end


def _file(attachment: Attachment) -> str:
    name = one_line(attachment.original_filename or attachment.content_type)
    return f"[{name}, {attachment.byte_size:,} bytes]"
