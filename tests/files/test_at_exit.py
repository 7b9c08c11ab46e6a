"""Files are moved in `atexit` functions too, where no thread can be started any more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.files.scripted_storage import World

PROGRAM = """
import asyncio, atexit, sys
from pathlib import Path
from poolse import AsyncPoolse, Poolse

deed, flavour, base, folder = sys.argv[1:]
folder = Path(folder)

def move(chat):
    match deed:
        case "upload a path":
            return chat.attachments.upload(folder / "up")
        case "upload a file":
            return chat.attachments.upload((folder / "up").open("rb"))
        case "upload many":
            return chat.attachments.upload_many([folder / "up"] * 3)
        case "download to a path":
            return chat.attachments.one("a-1").download(folder / "down")
        case "download to a file":
            return chat.attachments.one("a-1").download((folder / "down").open("wb"))

async def asynchronous():
    async with AsyncPoolse(token="t", api_url=base, max_retries=0) as chat:
        return await move(chat)

def at_exit():
    if flavour == "async":
        result = asyncio.run(asynchronous())
    else:
        with Poolse(token="t", api_url=base, max_retries=0) as chat:
            result = move(chat)
    failed = [one for one in result if isinstance(one, Exception)] if deed == "upload many" else []
    print("done", *failed)

atexit.register(at_exit)
"""

DEEDS = [
    "upload a path",
    "upload a file",
    "upload many",
    "download to a path",
    "download to a file",
]


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("flavour", ["sync", "async"])
def test_files_are_moved_at_the_end_of_a_program(
    world: World, tmp_path: Path, deed: str, flavour: str
) -> None:
    world.content = b"down" * 100_000
    (tmp_path / "up").write_bytes(b"up" * 100_000)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, deed, flavour, world.base, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "done\n", done.stderr
    assert done.stderr == ""
    if deed.startswith("download"):
        assert (tmp_path / "down").read_bytes() == world.content
    else:
        count = 3 if deed == "upload many" else 1
        assert world.bodies == [b"up" * 100_000] * count
