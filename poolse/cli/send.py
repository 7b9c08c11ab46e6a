"""`poolse send`: one message."""

from __future__ import annotations

import sys

import click

from poolse import UNSET
from poolse.cli.options import for_users
from poolse.cli.session import Session

__all__ = ["send"]


@click.command(
    short_help="Send a message.",
    epilog="Example: git log -1 --format=%s | poolse send CONV",
)
@click.argument("conversation", metavar="CONV")
@click.argument("text", required=False)
@click.option(
    "--id",
    "message_id",
    metavar="UUID",
    help="Id of the new message: sent again with the same one, it is stored once.",
)
@click.option("--reply-to", metavar="ID", help="The message to answer in its thread.")
@for_users
@click.pass_obj
def send(
    session: Session,
    conversation: str,
    text: str | None,
    message_id: str | None,
    reply_to: str | None,
) -> None:
    """Send TEXT to the conversation with the id CONV, and print the id of the message.

    Without TEXT, or with -, the text is what comes on standard input.
    """
    from poolse import to_dict

    with session.chat() as chat:
        message = chat.conversations.one(conversation).messages.send(
            body=_from_stdin(session) if text in (None, "-") else text,
            id=UNSET if message_id is None else message_id,
            reply_to_id=UNSET if reply_to is None else reply_to,
        )
    if session.json:
        session.print_json(to_dict(message))
    else:
        session.print_text(message.id)


def _from_stdin(session: Session) -> str:
    if session.flags.get("token_file") == "-":
        raise click.UsageError("standard input has the token already: give TEXT as an argument")
    if sys.stdin.isatty():
        # A hint for whoever forgot it, and wonders why nothing happens.
        session.note("reading the text up to Ctrl-D")
    try:
        text = sys.stdin.read().rstrip("\r\n")
    except UnicodeDecodeError:
        raise click.UsageError("standard input is no text; `poolse upload` sends files") from None
    if not text.strip():
        raise click.UsageError("there is nothing to send: TEXT is missing, and so is any input")
    return text
