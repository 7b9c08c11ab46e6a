"""`poolse export`: the whole history of a conversation, in a file, as JSON lines or CSV."""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO, cast

import click

from poolse.cli.failure import USAGE, Failure
from poolse.cli.options import for_users, in_conversation
from poolse.cli.sanitize import json_text, sanitized
from poolse.cli.session import Session

if TYPE_CHECKING:
    from poolse import Conversation, Message, Poolse
    from poolse.cli.resume_file import ResumeFile

__all__ = ["export"]

STEP: Final = 100
"""Messages that are read before they are saved. The maximum of a page."""


COLUMNS: Final = (
    *("sequence", "id", "inserted_at", "sender_id", "sender_external_id", "type"),
    *("thread_root_id", "reply_to_id", "body", "attachments", "edited_at", "deleted_at"),
)

FORMULA: Final = ("=", "+", "-", "@")
"""A cell that starts like this is a formula in spreadsheets, and formulas can be malicious."""


Counter = Callable[[int], None]
"""Called with the number of messages done."""


def write_jsonl(file: TextIO, messages: Iterable[str]) -> None:
    """Write one message per line, with all fields."""
    for text in messages:
        file.write(f"{text}\n")


def write_csv(file: TextIO, messages: Iterable[str]) -> None:
    """Write the main columns, for spreadsheets, with formulas made harmless."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for text in messages:
        fields: dict[str, object] = json.loads(text)
        writer.writerow([_cell(fields.get(name)) for name in COLUMNS])


def _cell(value: object) -> str | int:
    if value is None:
        return ""
    if isinstance(value, int):
        return value
    if isinstance(value, list):
        value = ", ".join(map(_file_name, cast("Sequence[Mapping[str, object]]", value)))
    text = sanitized(str(value))
    return f"'{text}" if text.startswith(FORMULA) else text


def _file_name(attachment: Mapping[str, object]) -> str:
    return str(attachment.get("original_filename") or attachment["id"])


FORMATS: Final = {"jsonl": write_jsonl, "csv": write_csv}


@click.command(
    short_help="Export the whole history to a file.",
    epilog="Example: poolse export $CONV --output team.csv",
)
@in_conversation
@click.option(
    "--format",
    "kind",
    type=click.Choice([*FORMATS]),
    help="jsonl has all fields, csv is for spreadsheets. [default: from --output, else jsonl]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Output file. [default: CONV.jsonl or CONV.csv]",
)
@click.option("--force", is_flag=True, help="Replace an existing file.")
@click.option("--fresh", is_flag=True, help="Discard the messages of an interrupted run.")
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
    """Export all messages of the conversation with the ID CONV to a file.

    Oldest first, including replies in threads. The file is created when it is complete. After an
    interruption the same command resumes the export, whose messages are in FILE.part until then.
    Messages sent after the start of the export are not included.
    """
    kind = kind or ("csv" if output and output.suffix.lower() == ".csv" else "jsonl")
    target = output or Path(f"{re.sub(r'[^A-Za-z0-9_-]', '_', conversation)}.{kind}")
    if str(target) == "-":
        hint = "an interrupted export is resumed in its file, so it cannot go into a pipe"
        raise Failure("--output needs a file, not -", USAGE, hint)
    if not target.absolute().parent.is_dir():
        raise Failure(f"the folder {target.absolute().parent} does not exist: create it", USAGE)
    if target.exists() and not force:
        hint = "use --force to replace it, or --output for another file"
        raise Failure(f"the file {target} already exists", USAGE, hint)
    with session.chat() as chat:
        # First, so that a wrong id leaves nothing behind.
        shown = chat.conversations.one(conversation).show()
        with _resume_file(session, target, shown, fresh=fresh) as resume:
            resumed = len(resume)
            _read(session, chat, resume)
            upto, count = resume.task.upto, len(resume)
            _write(target, FORMATS[kind], resume)
            resume.remove()
    if session.json:
        session.print_json(
            {"file": str(target), "messages": count, "upto": upto, "resumed_after": resumed}
        )
    else:
        after = f", {resumed:,} of them read before" if resumed else ""
        session.print_text(f"{target}: {count:,} messages up to #{upto}{after}")


def _resume_file(
    session: Session, target: Path, conversation: Conversation, *, fresh: bool
) -> ResumeFile:
    from poolse import POOLSE_API_URL
    from poolse.cli.resume_file import ResumeFile, Task

    part = target.with_name(f"{target.name}.part")
    if fresh:
        part.unlink(missing_ok=True)
    url = (session.settings.api_url or POOLSE_API_URL).rstrip("/")
    return ResumeFile(part, Task(url, conversation.id, conversation.last_sequence))


def _read(session: Session, chat: Poolse, resume: ResumeFile) -> None:
    """Read the messages that are still missing."""
    try:
        with progress_counter(resume.task.upto) as counter:
            _read_down(chat, resume, counter)
    except BaseException:
        kept = f"{len(resume):,} messages are saved in {resume.path}"
        session.note(f"{kept}: the same command resumes there")
        raise


def _read_down(chat: Poolse, resume: ResumeFile, counter: Counter) -> None:
    task = resume.task
    counter(task.upto + 1 - resume.below)
    if resume.below == 0:
        return
    texts: dict[int, str] = {}
    messages = chat.conversations.one(task.conversation).messages
    for message in messages.iter(limit=STEP, before=resume.below):
        texts.update(_with_replies(chat, message, task.upto))
        if len(texts) >= STEP:
            resume.keep(texts, below=message.sequence)
            texts.clear()
            counter(task.upto + 1 - message.sequence)
    resume.keep(texts, below=0)


def _with_replies(chat: Poolse, message: Message, upto: int) -> Iterable[tuple[int, str]]:
    """Yield a message and the replies in its thread, by number."""
    from poolse import to_dict

    yield message.sequence, json_text(to_dict(message))
    if message.reply_count:
        for reply in chat.messages.one(message.id).iter_replies():
            if reply.sequence <= upto:
                yield reply.sequence, json_text(to_dict(reply))


def _write(
    target: Path, write: Callable[[TextIO, Iterable[str]], None], rows: Iterable[str]
) -> None:
    """Write the file atomically: a reader never sees a partial file."""
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


@contextmanager
def progress_counter(total: int) -> Generator[Counter]:
    """Draw a progress bar on standard error, if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from poolse.cli.console import Console

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Drawn when there is news, so that no thread is needed; and gone when it is done.
    bar = Progress(*columns, console=Console(stderr=True), auto_refresh=False, transient=True)
    with bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done, refresh=True)
