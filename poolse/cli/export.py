"""`poolse export`: the whole history of a conversation, in a file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

import click

from poolse.cli.failure import USAGE, Failure
from poolse.cli.formats import FORMATS, row_text
from poolse.cli.options import for_users
from poolse.cli.session import Session

if TYPE_CHECKING:
    from poolse import Conversation, Message, Poolse
    from poolse.cli.progress import Counter
    from poolse.cli.resume_file import ResumeFile

__all__ = ["export"]

STEP: Final = 100
"""Messages that are read before they are kept. A page has no more."""


@click.command(
    short_help="Write the whole history to a file.",
    epilog="Example: poolse export CONV --output team.csv",
)
@click.argument("conversation", metavar="CONV")
@click.option(
    "--format",
    "kind",
    type=click.Choice([*FORMATS]),
    help="jsonl has everything, csv is for spreadsheets. [default: by --output, else jsonl]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to. [default: CONV.jsonl or CONV.csv]",
)
@click.option("--force", is_flag=True, help="Replace the file if there is one.")
@click.option("--fresh", is_flag=True, help="Forget what an earlier run has read.")
@for_users
@click.pass_obj
def export(
    session: Session,
    conversation: str,
    kind: str | None,
    output: Path | None,
    force: bool,
    fresh: bool,
) -> None:
    """Write all messages of the conversation with the id CONV to a file.

    Oldest first, replies in threads too. The file appears when it is complete. After an
    interruption the same command goes on where it ended: what was read is in FILE.part until then.
    An export has the messages that there were when it began.
    """
    kind = kind or ("csv" if output and output.suffix.lower() == ".csv" else "jsonl")
    target = output or Path(f"{re.sub(r'[^A-Za-z0-9_-]', '_', conversation)}.{kind}")
    if target.exists() and not force:
        hint = "--force replaces it, --output names another"
        raise Failure(f"there is a file {target} already", USAGE, hint)
    with session.chat() as chat:
        # First, so that a wrong id leaves nothing behind.
        row = chat.conversations.one(conversation).show()
        with _spool(session, target, row, fresh=fresh) as spool:
            resumed = len(spool)
            _read(session, chat, spool)
            upto, count = spool.task.upto, len(spool)
            _write(target, FORMATS[kind], spool)
            spool.remove()
    if session.json:
        told = {"file": str(target), "messages": count, "upto": upto, "resumed_after": resumed}
        session.tell(told)
    else:
        after = f", {resumed:,} of them read before" if resumed else ""
        session.say(f"{target}: {count:,} messages up to #{upto}{after}")


def _spool(session: Session, target: Path, row: Conversation, *, fresh: bool) -> ResumeFile:
    from poolse import POOLSE_API_URL
    from poolse.cli.resume_file import ResumeFile, Task

    part = target.with_name(f"{target.name}.part")
    if fresh:
        part.unlink(missing_ok=True)
    url = (session.settings.api_url or POOLSE_API_URL).rstrip("/")
    return ResumeFile(part, Task(url, row.id, row.last_sequence))


def _read(session: Session, chat: Poolse, spool: ResumeFile) -> None:
    """Read what is still missing."""
    from poolse.cli.progress import counting

    try:
        with counting(spool.task.upto) as counter:
            _read_down(chat, spool, counter)
    except BaseException:
        kept = f"{len(spool):,} messages are kept in {spool.path}"
        session.note(f"{kept}: the same command goes on there")
        raise


def _read_down(chat: Poolse, spool: ResumeFile, counter: Counter) -> None:
    task = spool.task
    counter(task.upto + 1 - spool.below)
    if spool.below == 0:
        return
    rows: dict[int, str] = {}
    messages = chat.conversations.one(task.conversation).messages
    for message in messages.iter(limit=STEP, before=spool.below):
        rows.update(_with_replies(chat, message, task.upto))
        if len(rows) >= STEP:
            spool.keep(rows, below=message.sequence)
            rows.clear()
            counter(task.upto + 1 - message.sequence)
    spool.keep(rows, below=0)


def _with_replies(chat: Poolse, message: Message, upto: int) -> Iterable[tuple[int, str]]:
    """A message and the replies in its thread, by number."""
    from poolse import to_dict

    yield message.sequence, row_text(to_dict(message))
    if message.reply_count:
        for reply in chat.messages.one(message.id).iter_replies():
            if reply.sequence <= upto:
                yield reply.sequence, row_text(to_dict(reply))


def _write(
    target: Path, write: Callable[[TextIO, Iterable[str]], None], rows: Iterable[str]
) -> None:
    """All of it or nothing: a reader never sees half a file."""
    new = target.with_name(f"{target.name}.new")
    try:
        with new.open("w", encoding="utf-8", newline="") as file:
            write(file, rows)
            file.flush()
            os.fsync(file.fileno())
        new.replace(target)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
