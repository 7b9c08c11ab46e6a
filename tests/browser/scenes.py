"""A conversation that shows all that a message can have."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from poolse import Poolse
from poolse.testing import Sandbox

__all__ = ["picture", "talk"]


def picture(folder: Path, width: int = 320, height: int = 200) -> Path:
    """A PNG with a slope from blue to orange."""
    rows = b"".join(
        bytes([0, *(part for x in range(width) for part in _color(x / width, y / height))])
        for y in range(height)
    )

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path = folder / "slope.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    return path


def _color(x: float, y: float) -> tuple[int, int, int]:
    return int(40 + 200 * x), 90, int(220 - 180 * y)


def talk(sandbox: Sandbox, folder: Path) -> str:
    """A conversation of three users: replies, a quote, reactions, a picture. Returns its ID."""
    with (
        Poolse(api_url=sandbox.url, token=sandbox.token("alice")) as alice,
        Poolse(api_url=sandbox.url, token=sandbox.token("bob")) as bob,
    ):
        created = alice.conversations.create(
            type="group", name="Release 0.6", member_external_ids=["bob", "carol"]
        )
        alice.conversations.create(type="direct", member_external_ids=["carol"])
        ours, theirs = (one.conversations.one(created.id).messages for one in (alice, bob))
        first = ours.send("Good morning! The sandbox has a page now.")
        answer = theirs.send("Nice. Does it show both ends of a conversation?")
        ours.send("Yes, side by side.", quoted_message_id=answer.id)
        theirs.send("And threads?", reply_to_id=first.id)
        ours.send("Those too.", reply_to_id=first.id)
        bob.messages.one(first.id).add_reaction("🎉")
        alice.messages.one(answer.id).add_reaction("👍")
        shown = alice.attachments.upload(picture(folder))
        ours.send("This is what it looks like.", attachment_ids=[shown])
        theirs.send(
            "A longer message, to see how lines break: the quick brown fox jumps over the lazy "
            "dog, and reads https://example.com/a/long/path/that/does/not/fit/on/any/phone/at/all."
        )
    return created.id
