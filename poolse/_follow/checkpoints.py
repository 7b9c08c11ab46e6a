"""Checkpoints: where a feed saves its positions, to resume from them after a restart."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, cast, runtime_checkable

from poolse._follow.positions import Position
from poolse._support.context_manager import Closing
from poolse._support.fork_safety import renew_after_fork
from poolse.errors import CheckpointError, CheckpointInUse, CheckpointUnusable

if TYPE_CHECKING:
    import sqlite3

__all__ = ["AsyncCheckpoint", "Checkpoint", "MemoryCheckpoint", "SQLiteCheckpoint"]

_PATIENCE = 1.0
"""Seconds to wait for a process that is ending to release the file."""

_TABLE = """
CREATE TABLE IF NOT EXISTS positions (
    key TEXT PRIMARY KEY, sequence INTEGER NOT NULL, id TEXT
) WITHOUT ROWID
"""
_LOAD = "SELECT sequence, id FROM positions WHERE key = ?"
_SAVE = "REPLACE INTO positions (key, sequence, id) VALUES (?, ?, ?)"
_SAVE_NEW = "INSERT OR IGNORE INTO positions (key, sequence, id) VALUES (?, ?, ?)"

_IN_MEMORY: Final = ":memory:"

_ADVICE: Final = {
    "SQLITE_FULL": "free space on its disk",
    "SQLITE_READONLY": "make the file and its folder writable",
    "SQLITE_PERM": "make the file and its folder writable",
    "SQLITE_CANTOPEN": "check that its folder exists and is writable",
    "SQLITE_BUSY": "stop the other program that uses it",
    "SQLITE_LOCKED": "stop the other program that uses it",
    "SQLITE_IOERR": "check its disk",
    "SQLITE_CORRUPT": "restore it from a backup, or remove it to start with new messages",
    "SQLITE_NOTADB": "use a checkpoint file, or a path that does not exist yet",
}
_OTHER_ADVICE: Final = "restore it from a backup, or start with a file of another name"


@runtime_checkable
class Checkpoint(Protocol):
    """Saves positions. Implement it to keep them with your other data.

    An async client calls both methods in a thread, so that a slow disk or a lock does not block the
    event loop; it also accepts an `AsyncCheckpoint`. The feed raises exceptions of the methods
    unchanged, and requesting the next message retries the save.

    Keys are conversation IDs, except `secret:v1`, the secret for the IDs of replies. If several
    processes share a store, add a third method, `load_or_save(key, position) -> Position`, which
    atomically returns the position under this key, or saves and returns the given one.
    """

    def load(self, key: str) -> Position | None:
        """Return the last position saved under this key, or None."""

    def save(self, key: str, position: Position) -> None:
        """Save a position. After it returns, a crash of the process must not lose it."""


@runtime_checkable
class AsyncCheckpoint(Protocol):
    """A `Checkpoint` with async methods, for async clients only."""

    async def load(self, key: str) -> Position | None:
        """Return the last position saved under this key, or None."""

    async def save(self, key: str, position: Position) -> None:
        """Save a position. After it returns, a crash of the process must not lose it."""


class MemoryCheckpoint:
    """Checkpoint in memory, for tests, or to resume after an error in the same process.

    Example:
        >>> MemoryCheckpoint().load("anything")
    """

    def __init__(self) -> None:
        self.positions: dict[str, Position] = {}
        """The last positions saved, by key."""

    def load(self, key: str) -> Position | None:
        """Return the last position saved under this key, or None."""
        return self.positions.get(key)

    def save(self, key: str, position: Position) -> None:
        """Save a position."""
        self.positions[key] = position

    def load_or_save(self, key: str, position: Position) -> Position:
        """Return the position under this key; if there is none, save and return the given one."""
        return self.positions.setdefault(key, position)


class SQLiteCheckpoint(Closing):
    """Checkpoint in a SQLite file, which this process locks while it is open.

    Saved positions survive any end of the process, including kill -9. A crash of the whole machine
    may lose the last ones, and then the messages since are delivered again.

    One object serves any number of feeds of a process, from any thread. After a fork the child must
    open its own file.

    Example:
        >>> with SQLiteCheckpoint("bot.db") as checkpoint:
        ...     feed = chat.follow(checkpoint=checkpoint)
    """

    def __init__(self, path: str | Path) -> None:
        """Open the file, or create it.

        Args:
            path: Path of the file. SQLite keeps a second file next to it, which ends in `-wal`.

        Raises:
            CheckpointInUse: Another process, or another object of this process, has it open.
            CheckpointUnusable: It is not a checkpoint file, or cannot be opened. Also a
                `UsageError`.
        """
        self._path = path
        self._is_inherited = False
        self._is_closed = False
        self._db = _open(path)
        self._names = _names(path)
        self._files = _files(self._names)
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        # SQLite does not survive a fork: the child would break the parent's file.
        self._is_inherited = True

    def load(self, key: str) -> Position | None:
        """Return the last position saved under this key, or None.

        Raises:
            CheckpointError: The file cannot be read.
        """
        with self._usable():
            found = self._db.execute(_LOAD, (key,)).fetchall()
        return Position(*cast("list[tuple[int, str | None]]", found)[0]) if found else None

    def save(self, key: str, position: Position) -> None:
        """Save a position.

        Raises:
            CheckpointError: The file cannot be written, or was removed or replaced.
        """
        with self._usable():
            self._db.execute(_SAVE, (key, position.sequence, position.id))

    def load_or_save(self, key: str, position: Position) -> Position:
        """Return the position under this key; if there is none, save and return the given one.

        Raises:
            CheckpointError: The file cannot be read or written.
        """
        with self._usable():
            self._db.execute(_SAVE_NEW, (key, position.sequence, position.id))
        return self.load(key) or position

    def close(self) -> None:
        """Close the file. Calling it again, or in a forked child, has no effect."""
        if not self._is_inherited and not self._is_closed:
            self._is_closed = True
            with _named(self._path):
                self._db.close()

    @contextmanager
    def _usable(self) -> Generator[None]:
        """Check that saved positions can be found again, and add the path to errors."""
        path = self._path
        if self._is_inherited:
            raise CheckpointUnusable(
                f"the checkpoint {path} was opened in another process: after a fork, open "
                "one with a file of its own",
                str(path),
            )
        if self._is_closed:
            raise CheckpointUnusable(f"the checkpoint {path} is closed", str(path))
        with _named(path):
            if self._files != _files(self._names):
                raise CheckpointError(
                    f"the checkpoint {path} was removed or replaced while it was open, and what "
                    "is saved would be lost: start again with the file that is to be used",
                    str(path),
                )
            yield

    def __repr__(self) -> str:
        return f"SQLiteCheckpoint({str(self._path)!r})"


def _names(path: str | Path) -> tuple[Path, ...]:
    """Return the absolute paths of the file and its log; none for one in memory."""
    if str(path) in (_IN_MEMORY, ""):
        return ()
    name = Path(path).absolute()
    # The log is beside the file itself, even if the name is a link.
    real = name.resolve()
    return name, real.with_name(real.name + "-wal")


def _files(names: tuple[Path, ...]) -> list[tuple[int, int]] | None:
    """Return the identities of the files with these names; None if one is missing."""
    try:
        return [(status.st_dev, status.st_ino) for status in map(Path.stat, names)]
    except FileNotFoundError:
        return None


@contextmanager
def _named(path: str | Path, kind: type[CheckpointError] = CheckpointError) -> Generator[None]:
    """Add the path, and advice on what to do, to errors of SQLite and the file system."""
    # Imported lazily: some builds of Python have no SQLite, and most programs need no checkpoint.
    import sqlite3

    try:
        yield
    except (sqlite3.Error, OSError, OverflowError, UnicodeError) as error:
        # The first words of an extended code, such as SQLITE_IOERR_WRITE, are its kind.
        name = "_".join(getattr(error, "sqlite_errorname", "").split("_")[:2])
        advice = _ADVICE.get(name, _OTHER_ADVICE)
        text = f"the checkpoint {path} cannot be used: {error}; {advice}"
        raise kind(text, str(path)) from error


def _open(path: str | Path) -> sqlite3.Connection:
    import sqlite3

    with _named(path, CheckpointUnusable):
        # Without a cache, because two threads must not be in the same prepared statement.
        db = sqlite3.connect(
            path,
            timeout=_PATIENCE,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=0,
        )
        try:
            # The lock is held from the first write until the connection or the process ends, so it
            # cannot be left behind. Each save is one transaction.
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("BEGIN EXCLUSIVE")
            db.execute(_TABLE)
            # A table of another program may have the same name.
            db.execute(_LOAD, ("",))
            db.execute("COMMIT")
        except sqlite3.Error as error:
            db.close()
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            raise CheckpointInUse(
                f"the checkpoint {path} is in use: two followers of one position would handle "
                "everything twice. Stop the other one, or give each a file of its own",
                str(path),
            ) from None
    return db
