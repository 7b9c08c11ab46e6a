"""The handle of a sandbox: start and stop it, issue tokens, cause faults, read its log."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Self, TypeVar, cast

from poolse.sandbox.backend import Backend
from poolse.sandbox.clock import Clock
from poolse.sandbox.fault_control import FaultControl, Run
from poolse.sandbox.request_log import Request, RequestLog
from poolse.sandbox.rules import MAX_BYTES
from poolse.sandbox.server import ServerThread
from poolse.sandbox.strict_json import JsonObject
from poolse.sandbox.urls import listening_url

if TYPE_CHECKING:
    from poolse.sandbox.certificates import Certificates

__all__ = ["Sandbox", "Tenant"]

T = TypeVar("T")


class Tenant:
    """A tenant: an API key and users of its own, who know nothing of other tenants."""

    def __init__(self, run: Run, tenant_id: str | None = None) -> None:
        self._run = run
        self._id = tenant_id

    @property
    def api_key(self) -> str:
        """The API key, for the two routes that take one."""
        return self._run(lambda backend: backend.api_key(self._id))

    def token(self, external_id: str, *, lifetime: float = 3600.0) -> str:
        """A token of a user, who is created if missing.

        Args:
            external_id: The user, by your own id.
            lifetime: Seconds until it ends, rounded up to a whole second; a token with a
                negative one has ended already.
        """
        return self._run(lambda backend: backend.token(external_id, lifetime, self._id))

    def user_id(self, external_id: str) -> str:
        """The id of a user, who is created if missing."""
        return self._run(lambda backend: backend.user_id(external_id, self._id))


class Sandbox:
    """A whole poolse backend on this machine, in a thread of this process.

    Use it as a context manager, or call `start` and `stop`. All its methods may be called from
    any thread. It starts with one tenant and no users; `token` makes them.

    It belongs to the process that started it. A forked child reaches it at the same URL, but what
    would need the sandbox itself, such as `token`, raises a RuntimeError there.

        with Sandbox() as sandbox:
            chat = Poolse(api_url=sandbox.url, get_token=lambda: sandbox.token("alice"))
    """

    def __init__(
        self,
        *,
        tls: bool = False,
        data: str | os.PathLike[str] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        idle_timeout: float = 60.0,
        typing_timeout: float = 5.0,
        max_attachment_bytes: int = MAX_BYTES,
    ) -> None:
        """Configure it; nothing happens before `start`.

        Args:
            tls: Serve https and wss, with a certificate made for this run.
            data: File to keep the data in, and `<data>.blobs/` for the bytes of attachments;
                None keeps nothing.
            host: Name or address to listen on, IPv4 or IPv6. With `0.0.0.0` or `::`, which mean all
                interfaces, `url` names the loopback address.
            port: Port to listen on; 0 takes a free one.
            idle_timeout: Seconds without a word from the client after which a socket is closed.
            typing_timeout: Seconds after the last `typing` until `typing:stop` is sent.
            max_attachment_bytes: How large a file may be that is attached to a message.
        """
        self._tls = tls
        self._data = None if data is None else Path(data)
        self._host = host
        self._port = port
        self._timeouts = {"idle_timeout": idle_timeout, "typing_timeout": typing_timeout}
        self._max_attachment_bytes = max_attachment_bytes
        self._log = RequestLog()
        self._backend: Backend | None = None
        self._server: ServerThread | None = None
        self._certificates: Certificates | None = None
        self.faults: FaultControl = FaultControl(self._call)
        """What goes wrong next."""
        self.clock: Clock = Clock(self._check_process)
        """The time as the sandbox sees it."""
        self._tenant = Tenant(self._call)

    def start(self) -> Self:
        """Listen, until `stop`.

        Raises:
            RuntimeError: It is running already.
            OSError: The address is taken, or is none of this machine; the text names it.
            ValueError: The port is no port.
            sqlite3.Error: `data` is not a database, is one of another version of the sandbox, or
                cannot be written.
        """
        self._check_process()
        if self._server is not None:
            raise RuntimeError("the sandbox is running already")
        self._log = RequestLog()
        tls: ssl.SSLContext | None = None
        if self._tls:
            # Loads all of `cryptography`, which plain http can do without.
            from poolse.sandbox.certificates import Certificates

            self._certificates = Certificates()
            tls = self._certificates.server_context(self._host)
        try:
            self._server = ServerThread(self._make_backend, self._host, self._port, tls)
        except BaseException:
            self._remove_certificates()
            raise
        return self

    def stop(self) -> None:
        """Close every connection and end. What happened can still be looked at.

        In a forked child this does nothing: the sandbox is the parent's.
        """
        if self._server is not None and not self._server.inherited:
            server, self._server = self._server, None
            server.stop()
            self._remove_certificates()

    def reset(self) -> None:
        """Restart at the same address, as if it had only just been started.

        No data, no users, no faults, the clock of the machine, an empty log, and another
        API key. Every connection is cut. What `data` keeps stays. A sandbox that was stopped is
        started, at another port unless one was chosen.
        """
        self._check_process()
        self.clock.reset()
        self._tenant = Tenant(self._call)
        if self._server is None:
            self.start()
            return
        # What hangs or is mute would hold up the end of the connections.
        self.faults.clear()
        self._log = RequestLog()
        self._server.replace(self._make_backend)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address of REST, without `/v1`: the `api_url` of a client."""
        return listening_url("https" if self._tls else "http", self._host, self._running.port)

    @property
    def ws_url(self) -> str:
        """The address of realtime, without `/socket`: the `ws_url` of a client."""
        return listening_url("wss" if self._tls else "ws", self._host, self._running.port)

    @property
    def api_key(self) -> str:
        """The tenant's API key, for the two routes that take one."""
        return self._tenant.api_key

    @property
    def ca_file(self) -> Path:
        """PEM file of the authority that the certificate of this run hangs on."""
        return self._authority.ca_file

    def ssl_context(self) -> ssl.SSLContext:
        """A new client context that trusts this sandbox and no other server."""
        return self._authority.client_context()

    def token(self, external_id: str, *, lifetime: float = 3600.0) -> str:
        """A token of a user, who is created if missing.

        Args:
            external_id: The user, by your own id.
            lifetime: Seconds until it ends, rounded up to a whole second; a token with a
                negative one has ended already.
        """
        return self._tenant.token(external_id, lifetime=lifetime)

    def user_id(self, external_id: str) -> str:
        """The id of a user, who is created if missing."""
        return self._tenant.user_id(external_id)

    def add_tenant(self) -> Tenant:
        """A new tenant beside the one that there is, with an API key and users of its own."""
        return Tenant(self._call, self._call(lambda backend: backend.add_tenant()))

    def block(self, external_id: str, *, blocked: bool = True) -> None:
        """Block a user, who is created if missing, or unblock.

        A blocked user may only look at itself. Its sockets stay, but it opens no new ones.
        """
        self._call(lambda backend: backend.block(external_id, blocked))

    def broadcast(self, topic: str, event: str, payload: Mapping[str, object]) -> None:
        """Send any event to everybody in a topic, as the server would."""
        content = cast(JsonObject, dict(payload))
        self._call(lambda backend: backend.registry.deliver(topic, event, content))

    @property
    def requests(self) -> list[Request]:
        """The REST requests of this run, in the order in which they came."""
        return self._checked_log.requests

    @property
    def handshakes(self) -> list[Request]:
        """The WebSocket handshakes of this run; the status of one that worked is 101."""
        return self._checked_log.handshakes

    @property
    def joins(self) -> list[str]:
        """Topics of the joins of this run that worked, in order."""
        return self._checked_log.joins

    @property
    def sockets(self) -> int:
        """How many sockets are open."""
        return self._checked_log.sockets

    def wait_for(self, predicate: Callable[[], bool], timeout: float = 5.0) -> None:
        """Wait until the predicate holds. It is asked again whenever the sandbox notes anything.

        Args:
            predicate: Looks at `requests`, `handshakes`, `joins` or `sockets`.
            timeout: Seconds.

        Raises:
            TimeoutError: It did not hold in time.
        """
        self._checked_log.wait_for(predicate, timeout)

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a Sandbox cannot be copied or sent to another process: send its url, and the tokens "
            "or the api_key that are needed there"
        )

    @property
    def _checked_log(self) -> RequestLog:
        """The request log, of which a forked child has only an old copy."""
        self._check_process()
        return self._log

    def _check_process(self) -> None:
        if self._server is not None:
            self._server.check_process()

    @property
    def _running(self) -> ServerThread:
        if self._server is None:
            raise RuntimeError("the sandbox is not running")
        return self._server

    @property
    def _authority(self) -> Certificates:
        if self._certificates is None:
            raise RuntimeError("the sandbox is not running with tls=True")
        return self._certificates

    def _make_backend(self) -> Backend:
        self._backend = Backend(
            self._log,
            self.clock,
            data=self._data,
            max_attachment_bytes=self._max_attachment_bytes,
            **self._timeouts,
        )
        return self._backend

    def _call(self, function: Callable[[Backend], T]) -> T:
        return self._running.call(lambda: function(cast(Backend, self._backend)))

    def _remove_certificates(self) -> None:
        if self._certificates is not None:
            self._certificates.remove()
            self._certificates = None
