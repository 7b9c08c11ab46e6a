"""What goes wrong below a checkpoint comes out as one error, which names the file."""

from __future__ import annotations

import copy
import os
import pickle
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from poolse import (
    CheckpointError,
    CheckpointInUse,
    CheckpointUnusable,
    MemoryCheckpoint,
    PoolseError,
    Position,
    SQLiteCheckpoint,
    UsageError,
)
from tests.follow.sync_and_async_feeds import Play, Talk, done, opened


def db_of(checkpoint: SQLiteCheckpoint) -> Any:
    """What SQLite is asked through."""
    return vars(checkpoint)["_db"]


def fill_the_disk(checkpoint: SQLiteCheckpoint, path: Path) -> None:
    (pages,) = db_of(checkpoint).execute("PRAGMA page_count").fetchone()
    db_of(checkpoint).execute(f"PRAGMA max_page_count = {pages}")
    for number in range(10_000):
        try:
            db_of(checkpoint).execute(
                "INSERT INTO positions VALUES (?, 1, ?)", (f"filler{number}", "x" * 500)
            )
        except sqlite3.OperationalError:
            return


def make_read_only(checkpoint: SQLiteCheckpoint, path: Path) -> None:
    db_of(checkpoint).execute("PRAGMA query_only = ON")


def drop_the_table(checkpoint: SQLiteCheckpoint, path: Path) -> None:
    db_of(checkpoint).execute("DROP TABLE positions")


def remove(checkpoint: SQLiteCheckpoint, path: Path) -> None:
    path.unlink()


def replace(checkpoint: SQLiteCheckpoint, path: Path) -> None:
    other = path.with_name("other.db")
    SQLiteCheckpoint(other).close()
    other.replace(path)


def remove_the_log(checkpoint: SQLiteCheckpoint, path: Path) -> None:
    path.with_name(path.name + "-wal").unlink()


def move_the_folder(checkpoint: SQLiteCheckpoint, path: Path) -> None:
    path.parent.rename(path.parent.with_name("moved"))


def close(checkpoint: SQLiteCheckpoint, path: Path) -> None:
    checkpoint.close()


def break_with(name: str) -> Callable[[SQLiteCheckpoint, Path], None]:
    def harm(checkpoint: SQLiteCheckpoint, path: Path) -> None:
        class Broken:
            close = db_of(checkpoint).close

            def execute(self, *arguments: object) -> object:
                error = sqlite3.OperationalError("as SQLite says it")
                error.sqlite_errorname = name
                raise error

        vars(checkpoint)["_db"] = Broken()

    return harm


Harm = Callable[[SQLiteCheckpoint, Path], None]
HARMS: dict[str, tuple[Harm, str]] = {
    "full": (fill_the_disk, "free space"),
    "read-only": (make_read_only, "writable"),
    "no table": (drop_the_table, "another name"),
    "removed": (remove, "start again"),
    "replaced": (replace, "start again"),
    "without its log": (remove_the_log, "start again"),
    "moved": (move_the_folder, "start again"),
    "closed": (close, "is closed"),
    "i/o": (break_with("SQLITE_IOERR_WRITE"), "check its disk"),
    "locked": (break_with("SQLITE_LOCKED"), "stop the other"),
}
EVERY = pytest.mark.parametrize(("harm", "advice"), HARMS.values(), ids=HARMS)


@EVERY
@pytest.mark.parametrize("method", ["save", "load_or_save"])
def test_each_failure_names_the_file_and_what_to_do(
    tmp_path: Path, harm: Harm, advice: str, method: str
) -> None:
    (tmp_path / "folder").mkdir()
    path = tmp_path / "folder" / "bot.db"
    checkpoint = SQLiteCheckpoint(path)
    checkpoint.save("a", Position(1, "m1"))
    harm(checkpoint, path)
    for _ in range(2):
        with pytest.raises(CheckpointError, match=advice) as caught:
            getattr(checkpoint, method)("b", Position(2, "m" * 5000))
        assert caught.value.path == str(path)
        assert str(path) in str(caught.value)
    checkpoint.close()


@pytest.mark.parametrize(("harm", "advice"), [HARMS[name] for name in HARMS if name != "full"])
def test_it_comes_out_of_the_feed_and_nothing_is_lost(
    play: Play, tmp_path: Path, harm: Harm, advice: str
) -> None:
    async def scenario(talk: Talk) -> None:
        (tmp_path / "folder").mkdir()
        path = tmp_path / "folder" / "bot.db"
        checkpoint = SQLiteCheckpoint(path)
        talk.say("1", "2")
        feed = talk.follow(after="beginning", checkpoint=checkpoint)
        assert await talk.take(feed, 1) == ["1"]
        harm(checkpoint, path)
        for _ in range(2):
            with pytest.raises(CheckpointError, match=advice):
                await talk.next(feed)
        await done(feed.aclose() if hasattr(feed, "aclose") else feed.close())
        checkpoint.close()

    play(scenario)


def test_after_a_failure_that_is_over_it_continues(play: Play, tmp_path: Path) -> None:
    async def scenario(talk: Talk) -> None:
        checkpoint = SQLiteCheckpoint(tmp_path / "bot.db")
        talk.say("1", "2")
        async with opened(talk.follow(after="beginning", checkpoint=checkpoint)) as feed:
            await talk.take(feed, 1)
            make_read_only(checkpoint, tmp_path)
            with pytest.raises(CheckpointError):
                await talk.next(feed)
            db_of(checkpoint).execute("PRAGMA query_only = OFF")
            assert await talk.take(feed, 1) == ["2"]
        checkpoint.close()

    play(scenario)


def test_what_a_checkpoint_of_the_users_raises_comes_out_as_it_is(play: Play) -> None:
    class Gone(Exception):  # noqa: N818
        pass

    class Own(MemoryCheckpoint):
        fails = True

        def save(self, key: str, position: Position) -> None:
            if self.fails and position.sequence == 1:
                raise Gone
            super().save(key, position)

    async def scenario(talk: Talk) -> None:
        own = Own()
        talk.say("1", "2")
        async with opened(talk.follow(after="beginning", checkpoint=own)) as feed:
            await talk.take(feed, 1)
            for _ in range(2):
                with pytest.raises(Gone):
                    await talk.next(feed)
            own.fails = False
            assert await talk.take(feed, 1) == ["2"]

    play(scenario)


@pytest.mark.parametrize(
    "position", [Position(2**70, "m1"), Position(1, "\ud800")], ids=["large", "surrogate"]
)
def test_what_the_file_cannot_hold(tmp_path: Path, position: Position) -> None:
    with SQLiteCheckpoint(tmp_path / "bot.db") as checkpoint:
        with pytest.raises(CheckpointError, match=r"bot\.db"):
            checkpoint.save("a", position)
        with pytest.raises(CheckpointError, match=r"bot\.db"):
            checkpoint.load("\ud800")


def test_a_second_process_stops_the_first_when_the_file_was_removed(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    with SQLiteCheckpoint(path) as checkpoint:
        checkpoint.save("a", Position(1))
        path.unlink()
        script = f"from poolse import SQLiteCheckpoint; SQLiteCheckpoint({str(path)!r}).close()"
        subprocess.run([sys.executable, "-c", script], check=True)
        with pytest.raises(CheckpointError, match="removed or replaced"):
            checkpoint.save("a", Position(2))


def test_going_to_another_folder_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with SQLiteCheckpoint("bot.db") as checkpoint:
        os.chdir("elsewhere")
        checkpoint.save("a", Position(1))
        assert checkpoint.load("a") == Position(1)


def test_a_link_may_lead_to_it(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "bot.db").symlink_to(tmp_path / "data" / "real.db")
    with SQLiteCheckpoint(tmp_path / "bot.db") as checkpoint:
        checkpoint.save("a", Position(1))
        assert checkpoint.load("a") == Position(1)


def other_table(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE positions (x)")
    db.close()


def no_database(path: Path) -> None:
    path.write_text("not a database, as everybody can see" * 100)


@pytest.mark.parametrize("make", [other_table, no_database, Path.mkdir])
def test_what_cannot_be_opened_is_named(tmp_path: Path, make: Callable[[Path], Any]) -> None:
    path = tmp_path / "bot.db"
    make(path)
    with pytest.raises(CheckpointUnusable, match=r"bot\.db.*; ") as caught:
        SQLiteCheckpoint(path)
    assert caught.value.path == str(path)


def test_the_errors_differ_and_can_be_copied() -> None:
    for kind in (CheckpointError, CheckpointUnusable, CheckpointInUse):
        error = kind("no", "bot.db")
        assert isinstance(error, PoolseError)
        assert isinstance(error, UsageError) is (kind is not CheckpointError)
        for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
            assert (twin.message, twin.path) == ("no", "bot.db")
