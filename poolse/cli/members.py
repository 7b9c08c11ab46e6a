"""`poolse members`: list, add and remove the members of a conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from poolse import UNSET
from poolse.cli.command_group import CommandGroup
from poolse.cli.failure import NOT_FOUND, Failure
from poolse.cli.ids import external_id_argument, members_of, refuse_poolse_ids
from poolse.cli.options import for_users, in_conversation
from poolse.cli.sanitize import one_line
from poolse.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable

    from poolse import Membership

__all__ = ["members"]


@click.group(
    cls=CommandGroup,
    short_help="List, add and remove members.",
    epilog="Example: poolse members list $CONV",
)
def members() -> None:
    """List, add and remove the members of a conversation.

    EXTERNAL_ID is your own ID for a user.
    """


@members.command(
    "list", short_help="List the members.", epilog="Example: poolse members list $CONV"
)
@in_conversation
@for_users
@click.pass_obj
def list_(session: Session, conversation: str) -> None:
    """List the members of the conversation with the ID CONV.

    Prints the role, the poolse ID and the external ID of each.
    """
    with session.chat() as chat:
        _print(session, chat.conversations.one(conversation).list_members())


@members.command(
    short_help="Add members.", epilog="Example: poolse members add $CONV carol --role admin"
)
@in_conversation
@external_id_argument("external_ids", nargs=-1, required=True, metavar="EXTERNAL_ID...")
@click.option(
    "--role",
    type=click.Choice(("owner", "admin", "member")),
    help="Role of the new members. [default: member]",
)
@for_users
@click.pass_obj
def add(
    session: Session,
    conversation: str,
    external_ids: tuple[str, ...],
    role: Literal["owner", "admin", "member"] | None,
) -> None:
    """Add users to the conversation with the ID CONV, and print them like `list`.

    Users who do not exist yet are created. Existing members are not changed.
    """
    with session.chat() as chat:
        handle = chat.conversations.one(conversation)
        refuse_poolse_ids(
            external_ids,
            lambda: {member.user_id: member.external_id for member in handle.list_members()},
        )
        _print(session, handle.add_members(external_ids, role=UNSET if role is None else role))


@members.command(short_help="Remove members.", epilog="Example: poolse members remove $CONV carol")
@in_conversation
@external_id_argument(
    "external_ids",
    nargs=-1,
    required=True,
    metavar="EXTERNAL_ID...",
    shell_complete=members_of,
)
@for_users
@click.pass_obj
def remove(session: Session, conversation: str, external_ids: tuple[str, ...]) -> None:
    """Remove users from the conversation with the ID CONV. Prints nothing.

    Remove yourself to leave.
    """
    with session.chat() as chat:
        handle = chat.conversations.one(conversation)
        user_ids = {member.external_id: member.user_id for member in handle.list_members()}
        strangers = [name for name in external_ids if name not in user_ids]
        if strangers:
            hint = "nobody was removed; `poolse members list $CONV` shows the external IDs"
            raise Failure(f"not a member: {', '.join(strangers)}", NOT_FOUND, hint)
        for external_id in external_ids:
            handle.remove_member(user_ids[external_id])
            if session.json:
                session.print_json({"removed": external_id})


def _print(session: Session, memberships: Iterable[Membership]) -> None:
    from poolse import to_dict

    for member in memberships:
        if session.json:
            session.print_json(to_dict(member))
        else:
            session.print_row(f"{member.role:<6}", member.user_id, one_line(member.external_id))
