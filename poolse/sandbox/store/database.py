"""The database connection. Everything in here happens on one thread."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from poolse.sandbox.clock import Clock
from poolse.sandbox.options import Options
from poolse.sandbox.strict_json import JsonObject

__all__ = ["Database", "json_object"]

_JSON_COLUMNS = {"attachments", "custom_data", "mentions", "settings"}


class Database:
    """One database, in memory unless `data` names a file."""

    tables: ClassVar[str] = ""
    """What creates the tables of a class, beside those of the classes that it inherits from."""

    def __init__(
        self, data: Path | None, clock: Clock | None = None, options: Options | None = None
    ) -> None:
        self.clock: Clock = clock or Clock()
        """All timestamps are read from it."""
        self.options: Options = options or Options()
        # Made on the thread that starts the backend, used on the one that runs it.
        self._db = sqlite3.connect(
            data or ":memory:", isolation_level=None, check_same_thread=False
        )
        try:
            self._db.row_factory = sqlite3.Row
            schema = "".join(vars(cls).get("tables", "") for cls in type(self).__mro__)
            _check_format(self._db, schema)
            self._db.executescript(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
                + schema
            )
        except sqlite3.Error:
            self._db.close()
            raise

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All or nothing of what is written inside."""
        # Begun by the first write: to begin for pushes that write nothing would take the sandbox
        # most of its time while many people type.
        self._db.isolation_level = "IMMEDIATE"
        try:
            yield
        except BaseException:
            self._db.rollback()
            raise
        else:
            self._db.commit()
        finally:
            self._db.isolation_level = None

    def _now(self) -> str:
        """Return the time as timestamps have it."""
        return self.clock.timestamp()

    def _all(self, query: str, *values: object) -> list[sqlite3.Row]:
        # All of them: a statement that still has rows to give would stand in the way of COMMIT.
        return self._db.execute(query, values).fetchall()

    def _one(self, query: str, *values: object) -> sqlite3.Row | None:
        return next(iter(self._all(query, *values)), None)

    def _sure(self, query: str, *values: object) -> sqlite3.Row:
        row = self._one(query, *values)
        assert row is not None  # noqa: S101  (the row was written just now)
        return row

    def _insert(self, into: str, *values: object) -> None:
        marks = ", ".join("?" * len(values))
        self._db.execute(f"INSERT INTO {into} VALUES ({marks})", values)  # noqa: S608  (our words)

    def _change(self, statement: str, *values: object) -> bool:
        """Run a statement that changes rows; whether it changed any."""
        return self._db.execute(statement, values).rowcount > 0


def json_object(row: sqlite3.Row) -> JsonObject:
    """Return a row as the JSON object of the wire: columns have the names of its fields."""
    columns: list[str] = row.keys()
    return {name: json.loads(row[name]) if name in _JSON_COLUMNS else row[name] for name in columns}


def _check_format(db: sqlite3.Connection, schema: str) -> None:
    """Check that the tables of a database that is not empty are those of the schema.

    Their checksum is kept as the format of the file, so that no number has to be raised by hand.

    Raises:
        sqlite3.DatabaseError: It is of another format, or not of a sandbox at all.
    """
    ours = zlib.crc32(" ".join(schema.split()).encode()) >> 1
    (stored,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and stored != ours:
        raise sqlite3.DatabaseError(
            f"its data has format {stored}, but this version of poolse reads format {ours} only;"
            " name another file, or delete this one to start over"
        )
    db.execute(f"PRAGMA user_version = {ours}")
