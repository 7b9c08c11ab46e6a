"""The same vectors with other ids, hosts, keys and tokens: nothing may hang on the recorded."""

from __future__ import annotations

import json
import random
import re
import uuid
from typing import Any

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
HOST = re.compile(r"(?<=https://)[a-z.]+(?=[/\"])")
KEY = re.compile(r"\bidem-\d+")
TOKEN = re.compile(r"\btok-1\b")


def permuted(vector: dict[str, Any], seed: int) -> dict[str, Any]:
    """A vector whose ids, hosts, keys and tokens are others, the same ones at all of its places."""
    chance = random.Random(f"{seed} {vector['name']}")
    others: dict[str, str] = {}

    def other(found: re.Match[str], made: str) -> str:
        return others.setdefault(found[0], made)

    def other_id(found: re.Match[str]) -> str:
        made = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        return other(found, made.upper() if found[0] != found[0].lower() else made)

    vector = {**vector, "config": {"tokens": ["tok-1"], **vector["config"]}}
    text = json.dumps(vector, ensure_ascii=False)
    text = UUID.sub(other_id, text)
    if '"base64"' not in text:
        text = HOST.sub(lambda found: other(found, f"h{chance.getrandbits(40):x}.test"), text)
    text = KEY.sub(lambda found: other(found, f"key {chance.getrandbits(64):x}"), text)
    text = TOKEN.sub(lambda found: other(found, f"t.{chance.getrandbits(64):x}"), text)
    moved: dict[str, Any] = json.loads(text)
    return moved
