"""Presence: who is in a topic, as Phoenix tells it. One meta is one joined channel."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable
from typing import NamedTuple

from poolse.sandbox.strict_json import Json, JsonObject

__all__ = ["Present", "arrived", "gone", "new_meta", "state"]


class Present(NamedTuple):
    """One session of a user."""

    user_id: str
    meta: JsonObject


def new_meta(external_id: str, now: float) -> JsonObject:
    """The meta of a session that begins now, a unix time."""
    phx_ref = base64.urlsafe_b64encode(secrets.token_bytes(12)).decode()
    return {"external_id": external_id, "online_at": int(now), "phx_ref": phx_ref}


def state(present: Iterable[Present]) -> JsonObject:
    """Payload of `presence_state`: every user with all of its metas."""
    metas: dict[str, list[Json]] = {}
    for user_id, meta in present:
        metas.setdefault(user_id, []).append(meta)
    return {user_id: {"metas": list_} for user_id, list_ in metas.items()}


def arrived(present: Present) -> JsonObject:
    """Payload of the `presence_diff` that tells of a new session."""
    return {"joins": state([present]), "leaves": {}}


def gone(present: Present) -> JsonObject:
    """Payload of the `presence_diff` that tells of the end of a session."""
    return {"joins": {}, "leaves": state([present])}
