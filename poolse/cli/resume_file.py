"""Progress of an export, in a file that survives any interruption.

The history is read from the newest message down. Each step saves messages and the position in one
transaction, so that the next run resumes exactly there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self, cast

import attrs

from poolse.cli.failure import USAGE, Failure

__all__ = ["ResumeFile", "Task"]

_PATIENCE = 1.0
"""Seconds to wait for an export that is ending to release the file."""

_BEGIN = (
    "PRAGMA locking_mode = EXCLUSIVE",
    "BEGIN EXCLUSIVE",
    "CREATE TABLE IF NOT EXISTS task"
    " (url TEXT, conversation TEXT, upto INTEGER NOT NULL, below INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS messages (sequence INTEGER PRIMARY KEY, json TEXT NOT NULL)",
)


@attrs.frozen
class Task:
    """The export: server, conversation and range."""

    url: str
    conversation: str
    upto: int
    """The last sequence number when the export began. Newer messages are not part of it."""


class ResumeFile:
    """The file. It belongs to one process at a time."""

    def __init__(self, path: Path, task: Task) -> None:
        """Open the file and resume its export, or start a new one.

        Raises:
            Failure: The file belongs to another export, is not such a file, is in use, or cannot be
                written.
        """
        self.path = path
        with self._explained():
            self._db = sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE)
        try:
            with self._explained():
                self.task: Task = self._begin(task)
            self._check(task)
        except BaseException:
            self.close()
            raise

    def _begin(self, task: Task) -> Task:
        for statement in _BEGIN:
            self._db.execute(statement)
        begun = self._db.execute("SELECT url, conversation, upto FROM task").fetchone()
        if begun is None:
            values = (task.url, task.conversation, task.upto, task.upto + 1)
            self._db.execute("INSERT INTO task VALUES (?, ?, ?, ?)", values)
        self._db.execute("COMMIT")
        return task if begun is None else Task(*cast("tuple[str, str, int]", begun))

    def _check(self, wanted: Task) -> None:
        if (self.task.url, self.task.conversation) != (wanted.url, wanted.conversation):
            begun = f"conversation {self.task.conversation} at {self.task.url}"
            hint = "use --fresh to discard it, or --output for another file"
            raise Failure(f"{self.path} is an unfinished export of {begun}", USAGE, hint)

    @property
    def below(self) -> int:
        """All messages from this number up are saved; 0 if the export is complete."""
        return self._number("SELECT below FROM task")

    def keep(self, messages: Mapping[int, str], below: int) -> None:
        """Save messages, by number, and the number from which all are saved, in one transaction."""
        with self._explained(), self._db:
            self._db.execute("BEGIN")
            self._db.executemany("REPLACE INTO messages VALUES (?, ?)", messages.items())
            self._db.execute("UPDATE task SET below = ?", (below,))

    def __len__(self) -> int:
        return self._number("SELECT count(*) FROM messages")

    def __iter__(self) -> Iterator[str]:
        """Return the messages as JSON, oldest first."""
        rows = self._db.execute("SELECT json FROM messages ORDER BY sequence")
        return (text for (text,) in cast("Iterator[tuple[str]]", rows))

    def remove(self) -> None:
        """Remove the file of a finished export."""
        self.close()
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file. Calling it again does nothing."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _number(self, query: str) -> int:
        return int(cast("tuple[int]", self._db.execute(query).fetchone())[0])

    @contextmanager
    def _explained(self) -> Generator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise Failure(f"another export is writing {self.path}") from None
            if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
                hint = "move it away, or use another file with --output"
                raise Failure(f"{self.path} is not an unfinished export", USAGE, hint) from None
            raise Failure(f"cannot write {self.path}: {error}") from None
