"""What every push takes and leads to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from poolse.sandbox.api.call import Effect
from poolse.sandbox.strict_json import JsonObject

__all__ = ["Push", "Reply"]


@dataclass(frozen=True)
class Push:
    """One push of a user to a topic, validated by the spec; or the wish to join the topic."""

    tenant_id: str
    user_id: str
    external_id: str
    topic: str
    topic_id: str
    """What the topic has in the place of the `{name}` in its address."""
    payload: JsonObject
    session: object
    """Socket that it came from. Handlers only pass it on."""


@dataclass(frozen=True)
class Reply:
    """The reply to a push, and its effects once they are committed."""

    response: JsonObject | None = None
    """None for pushes that have no reply in the spec."""
    effects: tuple[Effect, ...] = ()
    status: Literal["ok", "error"] = "ok"
    """The response of an error has a `reason`."""
