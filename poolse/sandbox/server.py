"""uvicorn in a thread: started and stopped, with nothing left behind."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any, Protocol, TypeVar, cast

import uvicorn
from starlette.types import Receive, Scope, Send

from poolse.sandbox.uvicorn_protocols import HttpConnection, WebSocketConnection, cut

__all__ = ["ServerThread"]

T = TypeVar("T")

_STOPPED = "the sandbox is not running: it was stopped meanwhile"
_MAX_MESSAGE = 8_000_000
_KEEP_ALIVE = 60
_ITERATIONS = 10
"""Of the event loop: enough for a connection on its way from `accept` to its protocol."""

_GRACE = 0.1
"""Seconds that clients have to take note of the end, before their connections are cut."""


class App(Protocol):
    """What can be served: an ASGI application that has something to close."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one WebSocket."""

    def close(self) -> None:
        """Called on the server's thread when nothing is served any more."""


class ServerThread:
    """An application that is served from a thread of its own, from construction to `stop`."""

    def __init__(
        self, make_app: Callable[[], App], host: str, port: int, tls: ssl.SSLContext | None
    ) -> None:
        """Bind the address and begin to serve.

        Args:
            make_app: Called on the server's thread, where a loop is running.
            host: Name or address to bind.
            port: 0 takes a free one.
            tls: None for plain http and ws.

        Raises:
            OSError: The address cannot be had. What `make_app` raises comes out too.
            ValueError: The port is no port.
        """
        self._socket = _listen(host, port)
        self.port: int = self._socket.getsockname()[1]
        self._process = os.getpid()
        self._lock = threading.RLock()
        self._ended = False
        self._waiting: set[Future[Any]] = set()
        """What `call` was asked for and has not been done yet."""
        self._ready: Future[_Server] = Future()
        _listening.add(self)
        # A daemon, so that a sandbox that was not stopped does not keep the process alive.
        self._thread = threading.Thread(
            target=self._run, args=(make_app, tls), name=f"poolse-sandbox-{self.port}", daemon=True
        )
        self._thread.start()
        try:
            self._server = self._ready.result()
        except BaseException:
            self._thread.join()
            self._socket.close()
            raise

    @property
    def inherited(self) -> bool:
        """Whether this is the copy of a forked child, where the thread does not run."""
        return os.getpid() != self._process

    def check_process(self) -> None:
        """Raise RuntimeError in a forked child, where no call would ever return."""
        if self.inherited:
            raise RuntimeError(
                f"the sandbox runs in process {self._process}, and this is a forked child of it. "
                "What it takes from the sandbox, such as tokens, it has to be given before the "
                "fork; its clients reach the sandbox at the same URL."
            )

    def forget(self) -> None:
        """Close the listening socket that a forked child has inherited.

        Otherwise the port would still accept connections after the parent has stopped.
        """
        self._socket.close()

    def stop(self) -> None:
        """Cut what is open and end the thread. It may be called once, and not in a forked child."""
        self._server.loop.call_soon_threadsafe(self._server.stopping.set)
        self._thread.join()

    def replace(self, make_app: Callable[[], App]) -> None:
        """Cut what is open, and serve another application from now on, at the same address."""
        self.check_process()
        swap = self._server.replace(make_app)
        asyncio.run_coroutine_threadsafe(swap, self._server.loop).result()

    async def replace_around(self, make_app: Callable[[], App], spared: HttpConnection) -> None:
        """Do the same for a request that this server serves, and whose connection stays."""
        await self._server.replace(make_app, spared)

    def call(self, function: Callable[[], T]) -> T:
        """Run a function on the server's thread, and return what it returns.

        Raises:
            RuntimeError: This is a forked child, or the server was stopped meanwhile.
        """
        self.check_process()
        outcome: Future[T] = Future()

        def run() -> None:
            if not outcome.set_running_or_notify_cancel():
                return
            try:
                outcome.set_result(function())
            except BaseException as error:
                outcome.set_exception(error)

        with self._lock:
            if self._ended:
                raise RuntimeError(_STOPPED)
            self._waiting.add(outcome)
            self._server.loop.call_soon_threadsafe(run)
        try:
            return outcome.result()
        except CancelledError:
            raise RuntimeError(_STOPPED) from None
        finally:
            self._waiting.discard(outcome)

    def _run(self, make_app: Callable[[], App], tls: ssl.SSLContext | None) -> None:
        try:
            asyncio.run(self._serve(make_app, tls))
        except BaseException as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    async def _serve(self, make_app: Callable[[], App], tls: ssl.SSLContext | None) -> None:
        current = _CurrentApp(make_app())
        try:
            config = _config(current)
            config.load()
            config.ssl = tls
            await _Server(config, current, self._ready).serve([self._socket])
        finally:
            self._refuse_calls()
            current.app.close()

    def _refuse_calls(self) -> None:
        """Cancel the calls that will not run, because the loop ends."""
        with self._lock:
            self._ended = True
            for outcome in list(self._waiting):
                outcome.cancel()


class _CurrentApp:
    """The application that is served at the moment."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


def _config(app: _CurrentApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
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


class _Server(uvicorn.Server):
    """uvicorn's own server looks ten times a second whether it should end; this one is woken."""

    def __init__(
        self, config: uvicorn.Config, current: _CurrentApp, ready: Future[_Server]
    ) -> None:
        super().__init__(config)
        self._current = current
        self._ready = ready
        self.loop = asyncio.get_running_loop()
        self.stopping = asyncio.Event()
        self._spared: set[HttpConnection] = set()
        """Connections whose request restarts the sandbox, and is responded to afterwards."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set_result(self)

    async def main_loop(self) -> None:
        await self.stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Shut down like uvicorn, but do not wait for clients that do not respond."""
        for sock in sockets or []:
            self.loop.remove_reader(sock)
        # asyncio forgets a socket that it has accepted when the server is closed before the
        # connection is made.
        await self._iterate()
        for server in self.servers:
            server.close()
        for sock in sockets or []:
            sock.close()
        await self._end_connections()
        # What is left are TLS handshakes that never came to an end.
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        for server in self.servers:
            await server.wait_closed()
        # What was aborted is closed in later turns, over TLS after several.
        await self._iterate()

    async def replace(
        self, make_app: Callable[[], App], spared: HttpConnection | None = None
    ) -> None:
        """End what the present application serves, and let another one serve what comes.

        Args:
            make_app: Called for the other application.
            spared: A connection that is not ended: that of the request that this task serves.
        """
        old, self._current.app = self._current.app, make_app()
        if spared is not None:
            self._spared.add(spared)
        try:
            await self._end_connections()
        finally:
            old.close()
            if spared is not None:
                self._spared.discard(spared)

    async def _end_connections(self) -> None:
        """Close the open connections, with a notice and a short time for the client to read it."""
        state = self.server_state
        open_now = {each for each in state.connections if each not in self._spared}
        tasks = state.tasks - {asyncio.current_task()}
        for connection in open_now:
            connection.shutdown()
        deadline = self.loop.time() + _GRACE
        while open_now & state.connections and self.loop.time() < deadline:  # noqa: ASYNC110  (it has no event)
            await asyncio.sleep(0.005)
        for connection in open_now & state.connections:
            cut(cast(HttpConnection | WebSocketConnection, connection))
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)

    async def _iterate(self) -> None:
        for _ in range(_ITERATIONS):
            await asyncio.sleep(0)


_listening = weakref.WeakSet[ServerThread]()


def _forget_all() -> None:
    for server in list(_listening):
        server.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise ValueError(f"port must be 0 to 65535, not {port}")
    try:
        return _bound(host, port)
    except OSError as error:
        message = f"cannot listen on host {host!r}, port {port}: {error.strerror or error}"
        raise type(error)(error.errno, message) from None
    except UnicodeError:
        message = f"cannot listen on host {host!r}, port {port}: not a host name"
        raise socket.gaierror(socket.EAI_NONAME, message) from None


def _bound(host: str, port: int) -> socket.socket:
    # asyncio turns Nagle's algorithm off only on sockets that say that they are TCP, which those of
    # `socket.create_server` do not; with it, every response on a kept connection comes 40 ms late.
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except BaseException:
        listener.close()
        raise
    return listener
