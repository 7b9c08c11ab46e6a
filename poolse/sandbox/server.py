"""uvicorn in a thread: begins when told, and leaves nothing behind when it ends."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import uvicorn
from starlette.types import ASGIApp

from poolse.sandbox.connections import HttpConnection, WebSocketConnection

__all__ = ["ServerThread"]

T = TypeVar("T")

_MAX_MESSAGE = 8_000_000
_KEEP_ALIVE = 60
_GRACE = 0.1
"""Seconds that clients have to take note of the end, before their connections are cut."""


class ServerThread:
    """An ASGI application that is served from a thread of its own."""

    def __init__(self, host: str, port: int) -> None:
        """Bind the address; port 0 takes a free one.

        Raises:
            OSError: The address cannot be had.
        """
        self._socket = socket.create_server((host, port), backlog=2048)
        self.port: int = self._socket.getsockname()[1]
        self._ready: Future[_Server] = Future()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(self, make_app: Callable[[], ASGIApp], tls: ssl.SSLContext | None) -> None:
        """Serve what `make_app` gives, which is called on the thread of the server."""
        # A daemon, so that a sandbox that nobody stopped does not keep the process alive.
        self._thread = threading.Thread(
            target=self._run, args=(make_app, tls), name=f"poolse-sandbox-{self.port}", daemon=True
        )
        self._thread.start()
        self._server = self._ready.result()

    def stop(self) -> None:
        """Cut what is open and end the thread."""
        self._socket.close()
        if self._server is not None and self._thread is not None:
            self._server.loop.call_soon_threadsafe(self._server.stopping.set)
            self._thread.join()
            self._server = None

    def call(self, function: Callable[[], T]) -> T:
        """Run a function on the thread of the server, and give back what it gives."""
        if self._server is None:
            raise RuntimeError("the sandbox is not running")
        outcome: Future[T] = Future()

        def run() -> None:
            try:
                outcome.set_result(function())
            except BaseException as error:
                outcome.set_exception(error)

        self._server.loop.call_soon_threadsafe(run)
        return outcome.result()

    def _run(self, make_app: Callable[[], ASGIApp], tls: ssl.SSLContext | None) -> None:
        try:
            asyncio.run(self._serve(make_app, tls))
        except BaseException as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    async def _serve(self, make_app: Callable[[], ASGIApp], tls: ssl.SSLContext | None) -> None:
        config = uvicorn.Config(
            make_app(),
            http=HttpConnection,
            ws=WebSocketConnection,
            ws_max_size=_MAX_MESSAGE,
            ws_ping_interval=None,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=_KEEP_ALIVE,
        )
        config.load()
        config.ssl = tls
        await _Server(config, self._ready).serve([self._socket])


class _Server(uvicorn.Server):
    """uvicorn's own server looks ten times a second whether it should end; this one is told."""

    def __init__(self, config: uvicorn.Config, ready: Future[_Server]) -> None:
        super().__init__(config)
        self._ready = ready
        self.loop = asyncio.get_running_loop()
        self.stopping = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set_result(self)

    async def main_loop(self) -> None:
        await self.stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, but a client that does not listen is not waited for."""
        for server in self.servers:
            server.close()
        connections = self.server_state.connections
        for connection in list(connections):
            connection.shutdown()
        deadline = self.loop.time() + _GRACE
        while connections and self.loop.time() < deadline:
            await asyncio.sleep(0.005)
        for connection in list(connections):
            connection.transport.abort()
        await asyncio.gather(*self.server_state.tasks, return_exceptions=True)
        for server in self.servers:
            await server.wait_closed()
