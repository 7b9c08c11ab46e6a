"""From a URL to an open WebSocket, for the sync body: TCP, proxy, TLS, handshake."""

from __future__ import annotations

import ssl
import time
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from typing import Any, cast
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from websocket import WebSocket, WebSocketException, WebSocketTimeoutException

from poolse._realtime.effects import Failure
from poolse._realtime.handshake import address, choose_proxy, failure_of, is_secure, refused
from poolse._realtime.messages import MAX_HANDSHAKE
from poolse._realtime.settings import RealtimeSettings
from poolse._realtime.sync_frames import Frames
from poolse._realtime.sync_wire import Interrupted, Waker, Wire
from poolse.errors import UsageError

__all__ = ["NotOpened", "open_socket"]


class NotOpened(Exception):  # noqa: N818  (carries the reason to the brain)
    """The WebSocket could not be opened."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


def open_socket(
    settings: RealtimeSettings, token: str | None, waker: Waker, wanted: Callable[[], bool]
) -> tuple[WebSocket, Wire]:
    """Open a WebSocket, or stop when it is not wanted any more.

    Raises:
        NotOpened: It could not be opened.
        Interrupted: It was not wanted any more.
    """
    deadline = time.monotonic() + settings.connect_timeout
    wire = Wire(waker, wanted, deadline, MAX_HANDSHAKE)
    try:
        _reach(wire, settings)
        ws = _shake_hands(wire, settings, token)
        wire.limit = settings.max_frame
        return ws, wire
    except BaseException as error:
        wire.close()
        if isinstance(error, Exception) and not isinstance(error, NotOpened | Interrupted):
            raise NotOpened(failure_of(error, settings.connect_timeout)) from None
        raise


@cache
def _default_tls() -> ssl.SSLContext:
    """TLS as the system has it. Reading its certificates takes a while, so it is done once."""
    return ssl.create_default_context()


def _reach(wire: Wire, settings: RealtimeSettings) -> None:
    """TCP to the server, through a proxy where there is one, and TLS on it."""
    target = urlsplit(settings.url)
    secure = is_secure(settings.url)
    host, port = target.hostname or "", target.port or (443 if secure else 80)
    proxy = choose_proxy(settings, getproxies, proxy_bypass)
    if proxy is None:
        wire.connect(host, port)
    else:
        _tunnel(wire, urlsplit(proxy), host, port)
    if secure:
        wire.start_tls(settings.ssl_context or _default_tls(), host)


def _tunnel(wire: Wire, proxy: SplitResult, host: str, port: int) -> None:
    if proxy.scheme != "http":
        raise UsageError(f"a proxy must be http://, not {proxy.scheme}://")
    wire.connect(proxy.hostname or "", proxy.port or 80)
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {address} HTTP/1.1", f"Host: {address}"]
    if proxy.username is not None:
        secret = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
        lines.append(f"Proxy-Authorization: Basic {b64encode(secret.encode()).decode()}")
    request = "\r\n".join([*lines, "", ""]).encode()
    while request:
        request = request[wire.send(request) :]
    # Byte by byte, since what follows the blank line is no longer the proxy's.
    answer = b""
    while not answer.endswith(b"\r\n\r\n") and len(answer) < 65536:
        byte = wire.recv(1)
        if not byte:
            break
        answer += byte
    status = answer.split(b" ", 2)[1:2]
    if status != [b"200"]:
        code = status[0].decode("latin-1") if status else "nothing"
        raise NotOpened(Failure(reason=f"the proxy answered {code}"))


def _shake_hands(wire: Wire, settings: RealtimeSettings, token: str | None) -> WebSocket:
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
    ws.frame_buffer = Frames(wire)
    return ws
