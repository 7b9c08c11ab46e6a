"""`poolse tail`: follow a conversation."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from poolse import UNSET, Unset
from poolse.cli.failure import USAGE, Failure
from poolse.cli.line_views import JsonView, LineView
from poolse.cli.live_state import LiveState, UserNames, name_of
from poolse.cli.options import for_users, in_conversation
from poolse.cli.session import Session

if TYPE_CHECKING:
    from poolse import Last, SQLiteCheckpoint
    from poolse.cli.live_view import LiveView

    After = int | Last | Literal["latest", "beginning"]

__all__ = ["tail"]

LAST: Final = 10
"""Default number of messages to start with."""


@click.command(
    short_help="Follow a conversation.",
    epilog="Example: poolse tail $CONV --last 50",
)
@in_conversation
@click.option(
    "--since",
    metavar="WHERE",
    help="Start after the message with this sequence number, at `beginning` or at `latest`.",
)
@click.option(
    "-n",
    "--last",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"Start with the last N messages. [default: {LAST}, or the checkpoint]",
)
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Save the position here and resume from it next time.",
)
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="Exit after N messages.")
@for_users
@click.pass_obj
def tail(
    session: Session,
    conversation: str,
    since: str | None,
    last: int | None,
    checkpoint: Path | None,
    count: int | None,
) -> None:
    """Follow the conversation with the ID CONV until Ctrl-C.

    Prints every message once and in order, across reconnects. On a terminal, a line at the bottom
    shows who is present and who is typing; in a pipe, each message is one line.
    """
    after = _after(since, last, checkpoint)
    names = UserNames(session.settings.names)
    with ExitStack() as stack:
        chat = stack.enter_context(session.chat(names.find))
        me = chat.me.show()
        names.learn(chat, me.id, me.display_name or me.external_id)
        messages = chat.conversations.one(conversation).messages
        title = chat.conversations.one(conversation).show().name or "direct conversation"
        saved = stack.enter_context(_checkpoint(checkpoint))
        view = _view(session, title)
        stack.enter_context(view)
        channel = stack.enter_context(chat.realtime.conversation(conversation))
        state = stack.enter_context(LiveState(chat, channel, names, view.status))
        session.on_socket_error = state.on_socket_error
        feed = stack.enter_context(messages.follow(after=after, checkpoint=saved))
        for number, item in enumerate(feed, start=1):
            message = item.message
            names.learn(chat, message.sender_id, message.sender_external_id)
            view.message(message, name_of(chat, message.sender_id))
            if number == count:
                break


def _after(since: str | None, last: int | None, checkpoint: Path | None) -> After | Unset:
    """Return where to begin, as `follow` takes it."""
    from poolse import Last

    if since is not None and last is not None:
        raise click.UsageError("--since and --last cannot be combined")
    match since:
        case "beginning" | "latest":
            return since
        case str() if since.isdecimal():
            return int(since)
        case str():
            raise click.BadParameter(
                f"{since!r} is not a number, `beginning` or `latest`", param_hint="--since"
            )
        case None if last is None and checkpoint is not None:
            return UNSET
        case None:
            return Last(LAST if last is None else last)


def _checkpoint(path: Path | None) -> AbstractContextManager[SQLiteCheckpoint | None]:
    from poolse import SQLiteCheckpoint

    if path is None:
        return nullcontext()
    if not path.absolute().parent.is_dir():
        raise Failure(f"the folder {path.absolute().parent} does not exist: create it", USAGE)
    return SQLiteCheckpoint(path)


def _view(session: Session, title: str) -> JsonView | LineView | LiveView:
    if session.json:
        return JsonView(session)
    if not sys.stdout.isatty():
        return LineView(session)
    from poolse.cli.live_view import LiveView, can_draw

    return LiveView(title) if can_draw() else LineView(session)
