"""What can be chosen for a backend when it is created."""

from __future__ import annotations

from dataclasses import dataclass

from poolse.sandbox.api_versions import NEWEST, ApiVersion
from poolse.sandbox.rules import ICE_SERVERS, MAX_BYTES
from poolse.sandbox.strict_json import Json

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """Options of one backend; those of `Sandbox` describe them."""

    api: ApiVersion = NEWEST
    api_key: str | None = None
    """None for a new one."""
    idle_timeout: float = 60.0
    typing_timeout: float = 5.0
    max_attachment_bytes: int = MAX_BYTES
    ice_servers: tuple[Json, ...] = ICE_SERVERS
    """`IceServer` objects."""
    livekit_url: str | None = None
    """None for a service without LiveKit."""
    cors_origins: tuple[str, ...] = ("*",)
