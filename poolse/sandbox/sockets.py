"""The WebSocket endpoint: the handshake, the frames in and out, the idle time-out."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from poolse.sandbox import frames, issued_tokens
from poolse.sandbox.channel_registry import ChannelRegistry, Session
from poolse.sandbox.errors import ApiRefusal
from poolse.sandbox.faults import Faults
from poolse.sandbox.middleware import as_request
from poolse.sandbox.phoenix import Phoenix
from poolse.sandbox.request_log import RequestLog
from poolse.sandbox.store import Store
from poolse.sandbox.uvicorn_protocols import websocket_of

__all__ = ["Sockets"]

_PATH = "/socket/websocket"
_VSN = re.compile(r"2\.0\.[0-9]+")
"""The only serializer that is spoken here; V1, which a missing vsn means, is not."""

_MALFORMED = 1011
_IDLE = 1002


class Sockets:
    """An ASGI application for WebSockets."""

    def __init__(
        self,
        store: Store,
        registry: ChannelRegistry,
        phoenix: Phoenix,
        faults: Faults,
        log: RequestLog,
        *,
        idle_timeout: float,
    ) -> None:
        self._store = store
        self._registry = registry
        self._phoenix = phoenix
        self._faults = faults
        self._log = log
        self._idle_timeout = idle_timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket from its handshake to its end."""
        websocket = WebSocket(scope, receive, send)
        request = as_request(scope)
        admitted = self._admit(websocket)
        request.status = admitted if isinstance(admitted, int) else 101
        self._log.handshake(request)
        if isinstance(admitted, int):
            await websocket.send_denial_response(Response(status_code=admitted))
            # Or uvicorn logs a refusal as an error of ours.
            websocket_of(websocket.scope).handshake_complete = True
            return
        try:
            await websocket.accept()
            await self._serve(websocket, admitted)
        except WebSocketDisconnect:
            return

    def _admit(self, websocket: WebSocket) -> Session | int:
        """Return a session, or the status that refuses the handshake."""
        if websocket.scope["path"] != _PATH:
            return 404
        refusal = self._faults.refuse_handshake()
        if refusal is not None:
            return refusal
        query = websocket.query_params
        if not _VSN.fullmatch(query.get("vsn", "")):
            return 403
        try:
            claims = issued_tokens.read(
                query.get("token", ""), self._store.signing_key, self._store.clock.now()
            )
        except ApiRefusal:
            return 403
        user = self._store.user(claims.tenant_id, claims.user_id)
        if user is None or user["is_blocked"]:
            return 403
        connection = websocket_of(websocket.scope)
        connection.sending = self._faults.sending
        return Session(claims.tenant_id, claims.user_id, str(user["external_id"]), connection)

    async def _serve(self, websocket: WebSocket, session: Session) -> None:
        self._registry.sessions[session] = None
        self._log.sockets_open(len(self._registry.sessions))
        helpers = [
            asyncio.create_task(self._write(websocket, session)),
            asyncio.create_task(self._watch(session)),
        ]
        try:
            await self._read(websocket, session)
        finally:
            self.drop(session)
            for helper in helpers:
                helper.cancel()
                with suppress(asyncio.CancelledError):
                    await helper

    def drop(self, session: Session) -> None:
        """Remove a session: its channels end, even if its connection stays."""
        if self._registry.drop(session):
            self._log.sockets_open(len(self._registry.sessions))

    async def _read(self, websocket: WebSocket, session: Session) -> None:
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if session not in self._registry.sessions:
                # Being closed: what the client still sends is of no interest.
                continue
            text = message.get("text")
            try:
                frame = frames.decode(message["bytes"] if text is None else text)
            except frames.BadFrame:
                self.drop(session)
                session.close(_MALFORMED)
            else:
                self._phoenix.handle(session, frame)

    async def _write(self, websocket: WebSocket, session: Session) -> None:
        """Send what is queued, in order, unless sockets are mute."""
        try:
            while True:
                item = await session.outbox.get()
                await self._faults.sending.wait()
                if isinstance(item, int):
                    await websocket.close(item)
                    return
                await websocket.send_text(item)
        except WebSocketDisconnect:
            return

    async def _watch(self, session: Session) -> None:
        """Close a socket after its idle timeout."""
        loop = asyncio.get_running_loop()
        session.connection.last_received = loop.time()
        while (left := session.connection.last_received + self._idle_timeout - loop.time()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(left)
        self.drop(session)
        session.close(_IDLE)
