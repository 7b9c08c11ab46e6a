"""From a URL to an open WebSocket, for the sync client: TCP, proxy, TLS, handshake."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, cast

from websocket import WebSocket, WebSocketException, WebSocketTimeoutException

from poolse._network.proxies import Proxies
from poolse._network.trust import context_of
from poolse._network.tunnels import open_tunnel_sync
from poolse._realtime.handshake import NotOpened, address, failure_of, origin, refused
from poolse._realtime.settings import RealtimeSettings
from poolse._realtime.sync_frames import Frames
from poolse._realtime.sync_transport import Interrupted, InterruptPipe, Transport

__all__ = ["MAX_HANDSHAKE", "open_socket"]


MAX_HANDSHAKE: Final = 2**17
"""Bytes of a response to the handshake, the page of a refusal included. The library reads them one
by one."""


def open_socket(
    settings: RealtimeSettings,
    token: str | None,
    interrupt: InterruptPipe,
    wanted: Callable[[], bool],
) -> tuple[WebSocket, Transport]:
    """Open a WebSocket, or stop when it is not wanted any more.

    Raises:
        NotOpened: It could not be opened.
        Interrupted: It was not wanted any more.
    """
    deadline = time.monotonic() + settings.connect_timeout
    transport = Transport(interrupt, wanted, deadline, MAX_HANDSHAKE)
    try:
        _connect(transport, settings)
        ws = _handshake(transport, settings, token)
        # From here on the frames say how long they are.
        transport.limit = None
        return ws, transport
    except BaseException as error:
        transport.close()
        if isinstance(error, Exception) and not isinstance(error, NotOpened | Interrupted):
            raise NotOpened(failure_of(error, settings.connect_timeout)) from None
        raise


def _connect(transport: Transport, settings: RealtimeSettings) -> None:
    """TCP to the server, through a proxy where there is one, and TLS on it."""
    target = origin(settings)
    tls = context_of(settings.ssl_context)
    proxy = Proxies(settings.proxy).of(*target)
    if proxy is None:
        transport.connect(target.host, target.port)
    else:
        transport.connect(proxy.host, proxy.port)
        if proxy.is_secure:
            transport.start_tls(tls(), proxy.host)
        open_tunnel_sync(proxy, target.host, target.port, transport.send_all, transport.recv)
    if target.scheme == "wss":
        transport.start_tls(tls(), target.host)


def _handshake(transport: Transport, settings: RealtimeSettings, token: str | None) -> WebSocket:
    # Only one thread ever touches the socket.
    ws = WebSocket(enable_multithread=False)
    target = address(settings, token)
    try:
        cast(Any, ws).connect(
            target.url,
            socket=transport,
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
    ws.frame_buffer = Frames(transport, settings.max_frame)
    return ws
