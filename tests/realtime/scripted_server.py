"""A Phoenix server that says what a test wants, over ws or wss."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any

import attrs
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from poolse._realtime.settings import RealtimeSettings
from poolse.sandbox.certificates import Certificates
from tests.realtime.sync_and_async import FAST, Flavour, Log, opened

__all__ = ["CONNECTIONS", "Frame", "Script", "Scripted", "ok", "phoenix"]

Frame = list[Any]
"""Join_ref, ref, topic, event, payload."""

Script = Callable[[Frame], Iterable[object]]
"""What to answer to a frame that is neither heartbeat nor join: lists, texts or bytes to send, or
a number, the code to close with."""

CONNECTIONS = ("ws", "wss")


def ok(frame: Frame, response: object = None, status: str = "ok") -> Frame:
    """The reply to a frame."""
    empty: dict[str, object] = {}
    payload = {"status": status, "response": empty if response is None else response}
    return [frame[0], frame[1], frame[2], "phx_reply", payload]


@attrs.define
class Scripted:
    """A running server."""

    url: str
    context: ssl.SSLContext | None
    script: Script
    heart: bool
    before: Script
    frames: Log = attrs.field(factory=Log)
    """What it was sent, heartbeats left out."""
    beats: Log = attrs.field(factory=Log)
    """The heartbeats."""
    opened: Log = attrs.field(factory=Log)
    """Its connections, the closed ones too."""

    def client(self, flavour: Flavour, **changes: Any) -> Any:
        """A client of it, to be used as a context."""
        changes = {"ssl_context": self.context, **FAST, **changes}
        return opened(flavour, RealtimeSettings(url=self.url, **changes), lambda _: "secret")

    def say(self, *things: object) -> None:
        """Send something unasked on the newest connection."""
        send(self.opened.items[-1], things)


def nothing(_: Frame) -> Iterable[object]:
    """Send nothing."""
    return []


@contextmanager
def phoenix(
    script: Script, tls: bool = False, heart: bool = True, before: Script = nothing
) -> Generator[Scripted]:
    """A server that joins whoever wants to, and otherwise follows the script.

    Args:
        script: What to answer.
        tls: Speak wss.
        heart: Answer heartbeats. Otherwise they get a pong, which proves nothing.
        before: What to send before the answer to a frame. It may take its time.
    """
    certificates = Certificates() if tls else None
    context = certificates.server_context("127.0.0.1") if certificates else None

    def handle(connection: ServerConnection) -> None:
        scripted.opened.append(connection)
        try:
            for message in connection:
                frame = json.loads(message) if isinstance(message, str) else [message]
                take(scripted, connection, frame)
        except ConnectionClosed:
            pass

    with serve(handle, "127.0.0.1", 0, ssl=context, compression=None) as server:
        scheme, port = ("wss" if tls else "ws"), server.socket.getsockname()[1]
        url = f"{scheme}://127.0.0.1:{port}/socket"
        trust = certificates.client_context() if certificates else None
        scripted = Scripted(url, trust, script, heart, before)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield scripted
        finally:
            server.shutdown()
            thread.join()
            for connection in scripted.opened.items:
                connection.close()
            if certificates:
                certificates.remove()


def take(scripted: Scripted, connection: ServerConnection, frame: Frame) -> None:
    """Note a frame, and answer it."""
    if frame[-2:] == ["heartbeat", {}]:
        scripted.beats.append(frame)
        if scripted.heart:
            send(connection, [ok(frame)])
        else:
            connection.pong(b"alive")
        return
    scripted.frames.append(frame)
    send(connection, scripted.before(frame))
    if frame[-2:-1] == ["phx_join"]:
        send(connection, [ok(frame)])
    send(connection, scripted.script(frame))


def send(connection: ServerConnection, things: Iterable[object]) -> None:
    for thing in things:
        if isinstance(thing, int):
            connection.close(thing)
        else:
            connection.send(thing if isinstance(thing, str | bytes) else json.dumps(thing))
