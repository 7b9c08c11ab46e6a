"""What all requests pass first: control and its page go one way, the API another."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from starlette.types import ASGIApp, Receive, Scope, Send

from poolse.sandbox.backend import Backend
from poolse.sandbox.control_api.guards import ControlSettings
from poolse.sandbox.control_api.recorder import Recorder
from poolse.sandbox.control_api.traffic import Traffic

if TYPE_CHECKING:
    from poolse.sandbox.clock import Clock

__all__ = ["FrontDoor"]

_PAGE: Final = b"/"
_CONTROL: Final = b"/_sandbox"


class FrontDoor:
    """A backend with its control. Control is outside of CORS, faults and the request log."""

    def __init__(
        self, backend: Backend, clock: Clock, traffic: Traffic, settings: ControlSettings
    ) -> None:
        self.backend: Backend = backend
        self._clock = clock
        self._traffic = traffic
        self._settings = settings
        self._recorder = Recorder(backend, traffic)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one WebSocket."""
        if scope["type"] == "http" and _is_control(scope["raw_path"]):
            await self._control(scope, receive, send)
        else:
            await self._recorder(scope, receive, send)

    def close(self) -> None:
        """Close the backend."""
        self.backend.close()

    @cached_property
    def _control(self) -> ASGIApp:
        # Imported by its first request: the sandbox starts without it.
        from poolse.sandbox.control_api.app import ControlApp
        from poolse.sandbox.control_api.call import Service
        from poolse.sandbox.control_api.routes import ROUTES
        from poolse.sandbox.control_api.traffic_views import TrafficViews

        views = TrafficViews(self.backend.external_id_of, self.backend.api_keys)
        return ControlApp(
            Service(self.backend, self._clock, self._traffic, views, self._settings, ROUTES)
        )


def _is_control(path: bytes) -> bool:
    return path in {_PAGE, _CONTROL} or path.startswith(_CONTROL + b"/")
