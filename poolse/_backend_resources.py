"""Stands in for the generated resources of the backend until the spec knows them."""

from __future__ import annotations

from poolse._core.caller import AsyncCaller, Caller

__all__ = ["AsyncBackendResources", "BackendResources"]


class BackendResources:
    """All resources for an API key, as attributes of the client."""

    def __init__(self, core: Caller) -> None:
        self._core = core


class AsyncBackendResources:
    """All resources for an API key, as attributes of the client."""

    def __init__(self, core: AsyncCaller) -> None:
        self._core = core
