"""What the canned server says: rows as the backend sends them, all different, all the same size."""

from __future__ import annotations

import functools
import uuid
from typing import Final

import orjson

__all__ = ["CONVERSATION", "JWT", "ME", "conversation_of", "count_of", "message", "page"]

PREFIX: Final = "0190a000-0000-7000-8000-"

# {"alg":"none"}.{"sub":"ann","exp":4102444800}. of the year 2100.
JWT: Final = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4iLCJleHAiOjQxMDI0NDQ4MDB9.x"

TENANT: Final = "99999999-9999-4999-8999-999999999999"
TIME: Final = "2026-01-02T03:04:05.678901Z"

ME: Final = {
    "id": "0190a000-0000-7000-8001-000000000001",
    "tenant_id": TENANT,
    "external_id": "u-ann",
    "display_name": "Ann",
    "custom_data": {"team": "blue"},
    "is_blocked": False,
    "inserted_at": TIME,
    "updated_at": TIME,
}


def conversation_of(count: int) -> str:
    """The id of the conversation that has so many messages."""
    return f"{PREFIX}{count:012}"


def count_of(conversation_id: str) -> int:
    """How many messages the conversation with this id has."""
    return int(conversation_id.removeprefix(PREFIX))


CONVERSATION: Final = conversation_of(500)


def _id(kind: int, number: int) -> str:
    return str(uuid.UUID(int=(0x0190_A000_0000_7000 << 64) | (8 << 60) | (kind << 48) | number))


def message(number: int, said: int = 4) -> dict[str, object]:
    """The message with this `sequence`; 760 bytes as JSON, 618 when nothing is `said`."""
    author = _id(1, number % 7)
    return {
        "id": _id(2, number),
        "tenant_id": TENANT,
        "conversation_id": CONVERSATION,
        "sender_id": author,
        "type": "text",
        "body": f"Message {number:07}, " + "and what there is to say about it. " * said,
        "reply_to_id": None,
        "thread_root_id": None,
        "reply_count": 0,
        "quoted_message_id": None,
        "quoted_message": None,
        "mentions": [_id(1, 8)],
        "reactions": {"👍": [author]},
        "attachments": [],
        "edited_at": None,
        "deleted_at": None,
        "sequence": number,
        "inserted_at": TIME,
        "updated_at": TIME,
    }


@functools.cache
def _encoded(number: int) -> bytes:
    return orjson.dumps(message(number))


def page(newest: int, count: int) -> bytes:
    """A page of messages from this one down, as the list has them: newest first."""
    oldest = max(0, newest - count)
    return b'{"data":[' + b",".join(map(_encoded, range(newest, oldest, -1))) + b"]}"
