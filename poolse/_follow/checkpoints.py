"""Where a follower keeps how far it has come, so that it goes on there after a restart."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, cast, runtime_checkable

from poolse._follow.actions import Position
from poolse._forks import renew_after_fork
from poolse.errors import CheckpointInUse, UsageError

if TYPE_CHECKING:
    import sqlite3

__all__ = ["AsyncCheckpoint", "Checkpoint", "MemoryCheckpoint", "SQLiteCheckpoint"]

_PATIENCE = 1.0
"""Seconds that a process that is just ending has to let go of the file."""

_TABLE = """
CREATE TABLE IF NOT EXISTS positions (
    key TEXT PRIMARY KEY, sequence INTEGER NOT NULL, id TEXT
) WITHOUT ROWID
"""
_LOAD = "SELECT sequence, id FROM positions WHERE key = ?"
_SAVE = "REPLACE INTO positions (key, sequence, id) VALUES (?, ?, ?)"


@runtime_checkable
class Checkpoint(Protocol):
    """Keeps positions. Write one of your own to keep them where your other data is.

    An async client calls both methods in a thread, so that neither a slow disk nor a lock stops
    its event loop; it also takes an `AsyncCheckpoint`.
    """

    def load(self, key: str) -> Position | None:
        """The position that was saved last under this key, or None."""
        ...

    def save(self, key: str, position: Position) -> None:
        """Keep a position. When it returns, no crash of the process may lose it."""
        ...


@runtime_checkable
class AsyncCheckpoint(Protocol):
    """The same with methods that are awaited, for async clients only."""

    async def load(self, key: str) -> Position | None:
        """The position that was saved last under this key, or None."""
        ...

    async def save(self, key: str, position: Position) -> None:
        """Keep a position. When it returns, no crash of the process may lose it."""
        ...


class MemoryCheckpoint:
    """Keeps positions as long as the process lives: for tests, and to follow again after an error.

    Example:
        >>> MemoryCheckpoint().load("anything")
    """

    def __init__(self) -> None:
        self.positions: dict[str, Position] = {}
        """What was saved last, by key."""

    def load(self, key: str) -> Position | None:
        """The position that was saved last under this key, or None."""
        return self.positions.get(key)

    def save(self, key: str, position: Position) -> None:
        """Keep a position."""
        self.positions[key] = position


class SQLiteCheckpoint:
    """Keeps positions in a file, which belongs to this process while it is open.

    What was saved survives the end of the process in whatever way, kill -9 included. After a crash
    of the whole machine it may be a little older, and then what came since comes again.

    One object serves any number of followers of a process, from any thread. After a fork the child
    must open a file of its own.

    Example:
        >>> with SQLiteCheckpoint("bot.db") as checkpoint:
        ...     feed = chat.follow(checkpoint=checkpoint)
    """

    def __init__(self, path: str | Path) -> None:
        """Open the file; it is made when it is missing.

        Args:
            path: Name of the file. SQLite keeps one more beside it, with `-wal` at its end.

        Raises:
            CheckpointInUse: Another process has it open, or another object of this one.
            UsageError: It is no such file, or cannot be opened.
        """
        self._path = path
        self._is_inherited = False
        self._db = _open(path)
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        # SQLite does not survive a fork: the child would break the parent's file.
        self._is_inherited = True

    def load(self, key: str) -> Position | None:
        """The position that was saved last under this key, or None."""
        self._check()
        found = self._db.execute(_LOAD, (key,)).fetchall()
        return Position(*cast("list[tuple[int, str | None]]", found)[0]) if found else None

    def save(self, key: str, position: Position) -> None:
        """Keep a position."""
        self._check()
        self._db.execute(_SAVE, (key, position.sequence, position.id))

    def close(self) -> None:
        """Let go of the file. Calling it again does nothing, nor does it in a forked child."""
        if not self._is_inherited:
            self._db.close()

    def _check(self) -> None:
        if self._is_inherited:
            raise UsageError(
                f"the checkpoint {self._path} was opened in another process: after a fork, open "
                "one with a file of its own"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"SQLiteCheckpoint({str(self._path)!r})"


def _open(path: str | Path) -> sqlite3.Connection:
    # Only now: some builds of Python have no SQLite, and most programs need no checkpoint.
    import sqlite3

    try:
        # Without a cache, because two threads must not be in the same prepared statement.
        db = sqlite3.connect(
            path,
            timeout=_PATIENCE,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=0,
        )
    except sqlite3.Error as error:
        raise UsageError(f"cannot open the checkpoint {path}: {error}") from error
    try:
        # The lock is held from the first write until the connection or the process ends, so it
        # cannot be left behind. Each save is one transaction, which SQLite makes whole or not.
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("BEGIN EXCLUSIVE")
        db.execute(_TABLE)
        db.execute("COMMIT")
    except sqlite3.Error as error:
        db.close()
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise CheckpointInUse(
                f"the checkpoint {path} is in use: two followers of one position would handle "
                "everything twice. Stop the other one, or give each a file of its own"
            ) from None
        raise UsageError(f"{path} cannot be used as a checkpoint: {error}") from error
    return db
