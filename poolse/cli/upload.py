"""`poolse upload`: upload files and send a message with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from poolse import UNSET
from poolse.cli.exit_codes import as_failure
from poolse.cli.failure import Failure
from poolse.cli.options import for_users, in_conversation
from poolse.cli.sanitize import one_line
from poolse.cli.session import Session

if TYPE_CHECKING:
    from poolse import Attachment, Message, Poolse

__all__ = ["upload"]

MOST: Final = 10
"""Maximum number of files per message."""


@click.command(
    short_help="Send files.",
    epilog="Example: poolse upload $CONV holiday/*.jpg --text 'Look at these'",
)
@in_conversation
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILES...",
    type=click.Path(path_type=Path),
)
@click.option("--text", metavar="TEXT", help="Text of the message.")
@for_users
@click.pass_obj
def upload(session: Session, conversation: str, files: tuple[Path, ...], text: str | None) -> None:
    """Send FILES to the conversation with the ID CONV, and print the ID of the message.

    More than ten files are sent in several messages. A file that is missing or refused does not
    stop the others.
    """
    with session.chat() as chat:
        # First, so that nothing goes up for a conversation that is not there.
        chat.conversations.one(conversation).show()
        results = [(path, _upload(session, chat, path)) for path in files]
        attachments = [attachment for _, attachment in results if attachment is not None]
        failed = [path for path, attachment in results if attachment is None]
        messages = _send(chat, conversation, attachments, text)
    if session.json:
        from poolse import to_dict

        session.print_json(
            {
                "messages": [to_dict(message) for message in messages],
                "attachments": [to_dict(attachment) for attachment in attachments],
                "failed": [str(path) for path in failed],
            }
        )
    else:
        for message in messages:
            session.print_text(message.id)
    if failed:
        count = len(files)
        some = "the file was" if count == 1 else f"{len(failed)} of {count} files were"
        raise Failure(f"{some} not uploaded")


def _upload(session: Session, chat: Poolse, path: Path) -> Attachment | None:
    """Upload a file; return None if that failed, after printing the error."""
    from poolse import AuthError, NetworkError, PoolseError
    from poolse.cli.transfer_bar import transfer_bar

    try:
        with transfer_bar(one_line(path.name)) as bar:
            return chat.attachments.upload(path, on_progress=bar)
    except (AuthError, NetworkError):
        # The others would fare no better.
        raise
    except (PoolseError, OSError) as error:
        text = str(as_failure(error))
        session.note(text if str(path) in text else f"{path}: {text}")
        return None


def _send(
    chat: Poolse, conversation: str, attachments: Sequence[Attachment], text: str | None
) -> list[Message]:
    """Send the attachments in as few messages as possible; the first one has the text."""
    messages: list[Message] = []
    for first in range(0, len(attachments), MOST):
        ids = [attachment.id for attachment in attachments[first : first + MOST]]
        body = UNSET if text is None or first else text
        resource = chat.conversations.one(conversation).messages
        messages.append(resource.send(body=body, attachment_ids=ids))
    return messages
