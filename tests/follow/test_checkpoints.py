"""Positions survive what a process does not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from poolse import (
    Checkpoint,
    CheckpointInUse,
    MemoryCheckpoint,
    PoolseError,
    Position,
    SQLiteCheckpoint,
    UsageError,
)

HOLDER = """
import os, sys
from poolse import Position, SQLiteCheckpoint
checkpoint = SQLiteCheckpoint(sys.argv[1])
for number in range(1, 1001):
    checkpoint.save("a", Position(number, f"m{number}"))
print("saved", flush=True)
sys.stdin.read()
"""


def holder(path: Path) -> subprocess.Popen[str]:
    """A process that has saved something and holds the file."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "saved\n"
    return process


@pytest.mark.parametrize("make", [MemoryCheckpoint, lambda: SQLiteCheckpoint(":memory:")])
def test_each_key_has_its_last_position(make: Callable[[], Checkpoint]) -> None:
    checkpoint = make()
    assert isinstance(checkpoint, Checkpoint)
    assert checkpoint.load("a") is None
    checkpoint.save("a", Position(1, "m1"))
    checkpoint.save("b", Position(2**60))
    checkpoint.save("a", Position(3))
    assert checkpoint.load("a") == Position(3)
    assert checkpoint.load("b") == Position(2**60)
    if isinstance(checkpoint, SQLiteCheckpoint):
        checkpoint.close()


def test_it_is_there_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    with holder(path) as process:
        process.send_signal(signal.SIGKILL)
    with SQLiteCheckpoint(path) as checkpoint:
        assert checkpoint.load("a") == Position(1000, "m1000")


def test_a_second_process_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    with holder(path) as process:
        with pytest.raises(CheckpointInUse, match=r"bot\.db is in use.*a file of its own"):
            SQLiteCheckpoint(path)
        process.kill()
    SQLiteCheckpoint(path).close()


def test_so_is_a_second_object(tmp_path: Path) -> None:
    with SQLiteCheckpoint(tmp_path / "bot.db"), pytest.raises(CheckpointInUse):
        SQLiteCheckpoint(str(tmp_path / "bot.db"))


@pytest.mark.parametrize("name", ["", "missing/bot.db", "text"])
def test_a_file_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database, as everybody can see" * 100)
    with pytest.raises(UsageError, match="checkpoint"):
        SQLiteCheckpoint(tmp_path / name)


def test_many_threads_may_save(tmp_path: Path) -> None:
    with SQLiteCheckpoint(tmp_path / "bot.db") as checkpoint:

        def save(key: str) -> None:
            for number in range(200):
                checkpoint.save(key, Position(number))

        threads = [threading.Thread(target=save, args=(str(key),)) for key in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [checkpoint.load(str(key)) for key in range(8)] == [Position(199)] * 8


def test_the_error_says_so_by_its_type() -> None:
    assert issubclass(CheckpointInUse, PoolseError)
    assert os.name
