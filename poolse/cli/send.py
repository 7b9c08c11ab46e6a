"""`poolse send`: one message."""

from __future__ import annotations

import sys
from typing import Final

import click

from poolse import UNSET
from poolse.cli.options import for_users, in_conversation
from poolse.cli.session import Session

__all__ = ["send"]

NOTHING: Final = "nothing to send: pass TEXT, or text on standard input"


@click.command(
    short_help="Send a message.",
    epilog="Example: git log -1 --format=%s | poolse send $CONV",
)
@in_conversation
@click.argument("words", nargs=-1, metavar="[TEXT]")
@click.option(
    "--id",
    "message_id",
    metavar="UUID",
    help="ID of the new message; a retry with the same ID creates no duplicate.",
)
@click.option("--reply-to", metavar="ID", help="Message to reply to in its thread.")
@click.option(
    "--mention",
    "mentions",
    metavar="EXTERNAL_ID",
    multiple=True,
    help="Member to mention; may be repeated.",
)
@for_users
@click.pass_obj
def send(
    session: Session,
    conversation: str,
    words: tuple[str, ...],
    message_id: str | None,
    reply_to: str | None,
    mentions: tuple[str, ...],
) -> None:
    """Send TEXT to the conversation with the ID CONV, and print the ID of the message.

    Without TEXT, or with -, the text is read from standard input.
    """
    from poolse import to_dict

    if len(words) > 1:
        raise click.UsageError(f"TEXT has {len(words)} parts: put the text in quotes")
    text = words[0] if words else "-"
    if not text.strip():
        raise click.UsageError(NOTHING)
    with session.chat() as chat:
        message = chat.conversations.one(conversation).messages.send(
            body=_from_stdin(session) if text == "-" else text,
            id=UNSET if message_id is None else message_id,
            reply_to_id=UNSET if reply_to is None else reply_to,
            mention_external_ids=mentions or UNSET,
        )
    if session.json:
        session.print_json(to_dict(message))
    else:
        session.print_text(message.id)


def _from_stdin(session: Session) -> str:
    if session.flags.get("token_file") == "-":
        raise click.UsageError("standard input already has the token: pass TEXT as an argument")
    if sys.stdin.isatty():
        # A hint for users who forgot the text and wonder why nothing happens.
        session.note("reading the text up to Ctrl-D")
    try:
        text = sys.stdin.read().rstrip("\r\n")
        # In some locales, other bytes become surrogates, which UTF-8 does not have.
        text.encode()
    except UnicodeError:
        raise click.UsageError("standard input is not UTF-8; `poolse upload` sends files") from None
    if not text.strip():
        raise click.UsageError(NOTHING)
    return text
