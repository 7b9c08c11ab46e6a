"""From a URL to an open WebSocket, for the sync body: TCP, proxy, TLS, handshake."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, cast

from websocket import WebSocket, WebSocketException, WebSocketTimeoutException

from poolse._network.proxies import Proxies
from poolse._network.trust import context_of
from poolse._network.tunnels import hold, open_tunnel
from poolse._realtime.effects import Failure
from poolse._realtime.fragments import MAX_HANDSHAKE
from poolse._realtime.handshake import address, failure_of, origin, refused
from poolse._realtime.settings import RealtimeSettings
from poolse._realtime.sync_frames import Frames
from poolse._realtime.sync_transport import Interrupted, InterruptPipe, Transport

__all__ = ["NotOpened", "open_socket"]


class NotOpened(Exception):  # noqa: N818  (carries the reason to the brain)
    """The WebSocket could not be opened."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


def open_socket(
    settings: RealtimeSettings, token: str | None, waker: InterruptPipe, wanted: Callable[[], bool]
) -> tuple[WebSocket, Transport]:
    """Open a WebSocket, or stop when it is not wanted any more.

    Raises:
        NotOpened: It could not be opened.
        Interrupted: It was not wanted any more.
    """
    deadline = time.monotonic() + settings.connect_timeout
    wire = Transport(waker, wanted, deadline, MAX_HANDSHAKE)
    try:
        _reach(wire, settings)
        ws = _shake_hands(wire, settings, token)
        # From here on the frames say how long they are.
        wire.limit = None
        return ws, wire
    except BaseException as error:
        wire.close()
        if isinstance(error, Exception) and not isinstance(error, NotOpened | Interrupted):
            raise NotOpened(failure_of(error, settings.connect_timeout)) from None
        raise


def _reach(wire: Transport, settings: RealtimeSettings) -> None:
    """TCP to the server, through a proxy where there is one, and TLS on it."""
    target = origin(settings)
    tls = context_of(settings.ssl_context)
    proxy = Proxies(settings.proxy).of(*target)
    if proxy is None:
        wire.connect(target.host, target.port)
    else:
        wire.connect(proxy.host, proxy.port)
        if proxy.is_secure:
            wire.start_tls(tls(), proxy.host)
        hold(open_tunnel(proxy, target.host, target.port), wire.send_all, wire.recv)
    if target.scheme == "wss":
        wire.start_tls(tls(), target.host)


def _shake_hands(wire: Transport, settings: RealtimeSettings, token: str | None) -> WebSocket:
    # Only one thread ever touches the socket.
    ws = WebSocket(enable_multithread=False)
    target = address(settings, token)
    try:
        cast(Any, ws).connect(
            target.url,
            socket=wire,
            # Not as subprotocols: one that the server does not take would be logged.
            header={**settings.headers, **target.headers},
            # Phoenix compares an Origin with its own host, and refuses others.
            suppress_origin=True,
            redirect_limit=0,
        )
    except WebSocketTimeoutException:
        raise TimeoutError from None
    except WebSocketException as error:
        status: int | None = getattr(error, "status_code", None) or ws.getstatus()
        if status is None:
            raise
        headers: dict[str, str] = getattr(error, "resp_headers", None) or {}
        failure = refused(status, headers.get("retry-after"), time.time())
        raise NotOpened(failure) from None
    ws.settimeout(0)
    ws.frame_buffer = Frames(wire, settings.max_frame)
    return ws
