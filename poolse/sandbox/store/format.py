"""Whether a data file is one that this version of the sandbox reads."""

from __future__ import annotations

import sqlite3

from poolse.sandbox.store.schema import FORMAT

__all__ = ["check_format"]


def check_format(db: sqlite3.Connection) -> None:
    """Take an empty database for our own.

    Raises:
        sqlite3.DatabaseError: It is of another format, or not of a sandbox at all.
    """
    (found,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and found != FORMAT:
        raise sqlite3.DatabaseError(
            f"its data has format {found}, but this version of poolse reads format {FORMAT} only;"
            " name another file, or delete this one to begin anew"
        )
    db.execute(f"PRAGMA user_version = {FORMAT}")
