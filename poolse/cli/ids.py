"""The arguments CONV and EXTERNAL_ID, checked before anything is read or sent."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
from click.shell_completion import CompletionItem

from poolse.cli.failure import USAGE, Failure
from poolse.cli.sanitize import one_line
from poolse.cli.session import Session

if TYPE_CHECKING:
    from poolse import Conversation

__all__ = [
    "conversation_argument",
    "external_id_argument",
    "is_uuid",
    "members_of",
    "refuse_poolse_ids",
]

F = TypeVar("F", bound=Callable[..., Any])
V = TypeVar("V", str, tuple[str, ...])

COMPLETION_TIMEOUT: Final = 2.0
"""Seconds that a shell waits for the IDs of conversations."""

UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def is_uuid(text: str) -> bool:
    """Return whether this may be a poolse ID."""
    return UUID.fullmatch(text) is not None


def conversation_argument(name: str, **options: Any) -> Callable[[F], F]:  # noqa: ANN401  (click's)
    """Add an argument of one or several IDs of conversations. Shells complete them."""
    return click.argument(name, callback=_checked_ids, shell_complete=_conversations, **options)


def external_id_argument(name: str, **options: Any) -> Callable[[F], F]:  # noqa: ANN401  (click's)
    """Add an argument of one or several external IDs."""
    return click.argument(name, callback=_checked_external_ids, **options)


def refuse_poolse_ids(names: Iterable[str], known: Callable[[], Mapping[str, str]]) -> None:
    """Refuse poolse IDs in place of external IDs: each would create another user.

    Args:
        names: The external IDs.
        known: Returns external IDs of users by poolse ID. Called only if a name is a UUID.

    Raises:
        Failure: One of the names is such a poolse ID.
    """
    uuids = [name for name in names if is_uuid(name)]
    if not uuids:
        return
    users = known()
    for name in uuids:
        if name in users and name not in users.values():
            hint = f"EXTERNAL_ID is your own ID for a user: that of this one is {users[name]!r}"
            raise Failure(f"{name} is the poolse ID of a user, not an external ID", USAGE, hint)


def _checked_ids(context: click.Context, _argument: click.Parameter, value: V) -> V:
    # A shell that completes a word passes the others as they were typed.
    for each in () if context.resilient_parsing else _each(value):
        if not is_uuid(each):
            raise Failure(
                f"{each[:100]!r} is not the ID of a conversation, which is a UUID",
                USAGE,
                "is $CONV empty? `poolse conversations list` shows the IDs",
            )
    return value


def _checked_external_ids(_context: click.Context, _argument: click.Parameter, value: V) -> V:
    for each in _each(value):
        if not each.strip():
            raise Failure("EXTERNAL_ID is empty", USAGE, "it is your own ID for a user")
    return value


def _each(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _conversations(
    context: click.Context, _argument: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete the IDs of the user's conversations, with the name or the other members."""
    me, found = _listed(context)
    return [
        CompletionItem(each.id, help=one_line(each.name or _others(each, me) or each.type))
        for each in found
        if each.id.startswith(incomplete)
    ]


def members_of(
    context: click.Context, _argument: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete the external IDs of the members of CONV, or of all if CONV cannot be read."""
    # `$CONV` has its value only if it is exported.
    conversation = os.path.expandvars(context.params.get("conversation") or "")
    _, found = _listed(context)
    names = {
        name
        for each in found
        if each.id == conversation or not is_uuid(conversation)
        for name in each.member_external_ids or ()
    }
    return [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]


def _listed(context: click.Context) -> tuple[str, Iterable[Conversation]]:
    """Return the user's external ID and conversations; none, without a word, if that fails."""
    from poolse import CallOptions, PoolseError

    try:
        with context.ensure_object(Session).chat() as chat:
            options = CallOptions(timeout=COMPLETION_TIMEOUT, max_retries=0)
            me = chat.me.show(options=options)
            return me.external_id, chat.conversations.list(options=options)
    except (PoolseError, Failure):
        return "", []


def _others(conversation: Conversation, me: str) -> str:
    return ", ".join(name for name in conversation.member_external_ids or () if name != me)
