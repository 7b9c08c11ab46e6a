"""`poolse listen`: all events of a user, as JSON lines."""

from __future__ import annotations

import click

from poolse.cli.exit_codes import Terminated
from poolse.cli.ids import conversation_argument
from poolse.cli.options import for_users
from poolse.cli.session import Session

__all__ = ["listen"]


@click.command(
    short_help="Print all events as JSON lines.",
    epilog="Example: poolse listen | jq 'select(.event == \"message:new\").payload.body'",
)
@conversation_argument("conversations", nargs=-1, metavar="[CONV...]")
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="Exit after N events.")
@for_users
@click.pass_obj
def listen(session: Session, conversations: tuple[str, ...], count: int | None) -> None:
    """Print realtime events until Ctrl-C, one JSON object per line.

    Events of the conversations with the IDs CONV. Default: all conversations of the user, including
    new ones. Each object has event, topic and payload. Events sent while the connection is lost are
    missed. Use `poolse tail` if you must not miss a message.
    """
    # Imported lazily: asyncio takes longer to load than most commands take.
    import asyncio

    from poolse.cli.event_stream import stream_events

    try:
        asyncio.run(stream_events(session, conversations, count))
    except asyncio.CancelledError as cancelled:
        raise Terminated(*cancelled.args) from None
