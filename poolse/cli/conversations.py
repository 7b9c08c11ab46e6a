"""`poolse conversations`: list and create conversations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from poolse import UNSET
from poolse.cli.command_group import CommandGroup
from poolse.cli.ids import external_id_argument, refuse_poolse_ids
from poolse.cli.options import for_users
from poolse.cli.sanitize import one_line
from poolse.cli.session import Session

if TYPE_CHECKING:
    from poolse import Conversation

__all__ = ["conversations"]


@click.group(
    cls=CommandGroup,
    short_help="List and create conversations.",
    epilog="Example: CONV=$(poolse conversations create bob --name Team)",
)
def conversations() -> None:
    """List and create conversations."""


@conversations.command(
    "list",
    short_help="List the conversations of the user.",
    epilog="Example: poolse conversations list",
)
@for_users
@click.pass_obj
def list_(session: Session) -> None:
    """List the conversations of the user, the latest activity first.

    Prints the ID, the number of unread messages, the name and the members.
    """
    from poolse import to_dict

    with session.chat() as chat:
        found = chat.conversations.list()
    for conversation in found:
        if session.json:
            session.print_json(to_dict(conversation))
        else:
            session.print_row(conversation.id, _unread(conversation), _title(conversation))
    if not found and not session.json:
        session.note("no conversations; `poolse conversations create EXTERNAL_ID` creates one")


@conversations.command(
    short_help="Create a conversation.",
    epilog="Example: CONV=$(poolse conversations create bob carol --name Team)",
)
@external_id_argument("members", nargs=-1, metavar="[EXTERNAL_ID]...")
@click.option("--name", metavar="TEXT", help="Title of the conversation.")
@click.option("--direct", is_flag=True, help="A conversation with exactly one other user.")
@for_users
@click.pass_obj
def create(session: Session, members: tuple[str, ...], name: str | None, direct: bool) -> None:
    """Create a conversation with the users EXTERNAL_ID, and print its ID.

    EXTERNAL_ID is your own ID for a user, who is created if missing. You become the owner.
    """
    from poolse import to_dict

    if direct and len(members) != 1:
        raise click.UsageError("--direct takes exactly one EXTERNAL_ID")
    with session.chat() as chat:
        refuse_poolse_ids(members, lambda: {(me := chat.me.show()).id: me.external_id})
        created = chat.conversations.create(
            type="direct" if direct else "group",
            name=UNSET if name is None else name,
            member_external_ids=list(members),
        )
    if session.json:
        session.print_json(to_dict(created))
    else:
        session.print_text(created.id)


def _unread(conversation: Conversation) -> str:
    return f"{conversation.unread_count or 0:>3} unread"


def _title(conversation: Conversation) -> str:
    """Return the name and the members; either may be missing."""
    members = ", ".join(conversation.member_external_ids or ())
    return one_line(": ".join(filter(None, [conversation.name, members])))
