"""`poolse tail`: follow a conversation."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from poolse import UNSET, Unset
from poolse.cli.line_views import JsonView, LineView
from poolse.cli.live_state import LiveState, UserNames, name_of
from poolse.cli.options import for_users
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
    epilog="Example: poolse tail CONV --last 50",
)
@click.argument("conversation", metavar="CONV")
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
        view = _view(session, title)
        stack.enter_context(view)
        channel = stack.enter_context(chat.realtime.conversation(conversation))
        stack.enter_context(LiveState(chat, channel, names, view.status))
        saved = stack.enter_context(_checkpoint(checkpoint))
        feed = stack.enter_context(messages.follow(after=after, checkpoint=saved))
        for number, item in enumerate(feed, start=1):
            view.message(item.message, name_of(chat, item.message.sender_id))
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

    return nullcontext() if path is None else SQLiteCheckpoint(path)


def _view(session: Session, title: str) -> JsonView | LineView | LiveView:
    if session.json:
        return JsonView(session)
    if not sys.stdout.isatty():
        return LineView(session)
    from poolse.cli.live_view import LiveView, can_draw

    return LiveView(title) if can_draw() else LineView(session)
