"""Handle for a sandbox: start and stop it, issue tokens, cause faults, read its log."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Self, TypeVar, cast

from poolse.sandbox.api_versions import API_VERSIONS, NEWEST
from poolse.sandbox.backend import Backend
from poolse.sandbox.clock import Clock
from poolse.sandbox.control_api.front_door import FrontDoor
from poolse.sandbox.control_api.guards import ControlSettings
from poolse.sandbox.control_api.traffic import Traffic
from poolse.sandbox.fault_control import FaultControl, Run
from poolse.sandbox.options import Options
from poolse.sandbox.request_log import Request, RequestLog
from poolse.sandbox.rules import ICE_SERVERS, MAX_BYTES
from poolse.sandbox.server import ServerThread
from poolse.sandbox.strict_json import Json, JsonObject
from poolse.sandbox.urls import listening_url
from poolse.sandbox.uvicorn_protocols import HttpConnection

if TYPE_CHECKING:
    from poolse.sandbox.certificates import Certificates

__all__ = ["Sandbox", "Tenant"]

T = TypeVar("T")


class Tenant:
    """A tenant, with its own API key and users, isolated from other tenants."""

    def __init__(self, run: Run, tenant_id: str | None = None) -> None:
        self._run = run
        self._id = tenant_id

    @property
    def api_key(self) -> str:
        """API key of the tenant."""
        return self._run(lambda backend: backend.api_key(self._id))

    def token(self, external_id: str, *, lifetime: float = 3600.0) -> str:
        """Return a token of a user, who is created if missing.

        Args:
            external_id: Your own ID for the user.
            lifetime: Seconds until it expires, rounded up to a whole second. Negative for an
                expired token; `math.inf` for one that is the same each time, and after a restart
                if the sandbox has an `api_key` (new in 0.5).
        """
        return self._run(lambda backend: backend.token(external_id, lifetime, self._id))

    def user_id(self, external_id: str) -> str:
        """Return the poolse ID of a user, who is created if missing."""
        return self._run(lambda backend: backend.user_id(external_id, self._id))


class Sandbox:
    """A complete poolse backend on this machine, in a thread of this process.

    Use it as a context manager, or call `start` and `stop`. Thread-safe. It starts with one tenant
    and no users; `token` creates users.

    It belongs to the process that started it. A forked child can send requests to the same URL, but
    methods that need the sandbox itself, such as `token`, raise RuntimeError there.

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
        api: str = NEWEST.name,
        ice_servers: Sequence[Mapping[str, object]] | None = None,
        livekit_url: str | None = None,
        api_key: str | None = None,
        cors_origins: Sequence[str] = ("*",),
        control_hosts: Sequence[str] = (),
        on_request: Callable[[Request], object] | None = None,
    ) -> None:
        """Configure the sandbox. It does not listen before `start`.

        Args:
            tls: Serve https and wss, with a certificate created for this run.
            data: File to store the data in, with `<data>.blobs/` for the bytes of attachments. None
                stores nothing.
            host: Name or address to listen on, IPv4 or IPv6. With `0.0.0.0` or `::`, which mean all
                interfaces, `url` has the loopback address.
            port: Port to listen on; 0 for a free port.
            idle_timeout: Idle timeout of sockets, in seconds.
            typing_timeout: Seconds after the last `typing` until `typing:stop` is sent.
            max_attachment_bytes: Maximum size of an attachment in bytes.
            api: Version of the API to speak: `2`, the current one, or `1.1`, without everything
                that is newer. New in 0.4.
            ice_servers: Servers that `ice_servers.list` returns, with the fields of `IceServer`;
                None for one STUN server. New in 0.4.
            livekit_url: URL that `call_tokens.create` returns, with a token that no LiveKit server
                accepts; with None the service has no LiveKit. New in 0.4.
            api_key: API key of the tenant; None for a new one. With the same key, users have the
                same poolse IDs in each run. New in 0.5.
            cors_origins: Origins whose web pages may call the sandbox, such as
                `http://localhost:5173`; `*` is every origin. New in 0.5.
            control_hosts: Names, without a port, under which the page and the control over HTTP may
                be reached, such as `chat.local`, from any address. Without them only programs on
                this machine may use both, as `localhost`, `127.0.0.1`, `[::1]` or `host`. They can
                do everything: name only hosts that nobody else can reach. New in 0.6.
            on_request: Called with each request and handshake when it ends, on the sandbox's
                thread: it must not block, and must not call the sandbox. New in 0.5.
        """
        if api_key is not None and not re.fullmatch(r"[A-Za-z0-9_.-]+", api_key):
            raise ValueError("api_key must consist of letters, digits, and the characters _ . -")
        if isinstance(cors_origins, str):
            raise ValueError("cors_origins must be a list of origins, not a string")
        if isinstance(control_hosts, str):
            raise ValueError("control_hosts must be a list of names, not a string")
        if api not in API_VERSIONS:
            raise ValueError(f"api must be {' or '.join(map(repr, API_VERSIONS))}, not {api!r}")
        self._tls = tls
        self._data = None if data is None else Path(data)
        self._host = host
        self._port = port
        servers = ICE_SERVERS if ice_servers is None else [dict(one) for one in ice_servers]
        self._options = Options(
            api=API_VERSIONS[api],
            api_key=api_key,
            idle_timeout=idle_timeout,
            typing_timeout=typing_timeout,
            max_attachment_bytes=max_attachment_bytes,
            ice_servers=cast("tuple[Json, ...]", tuple(servers)),
            livekit_url=livekit_url,
            cors_origins=tuple(cors_origins),
        )
        self._control_hosts = tuple(control_hosts)
        self._on_request = on_request
        self._log = RequestLog(on_request)
        self._traffic = Traffic()
        self._backend: Backend | None = None
        self._server: ServerThread | None = None
        self._certificates: Certificates | None = None
        self.faults: FaultControl = FaultControl(self._call)
        """Faults to inject."""
        self.clock: Clock = Clock(self._check_process)
        """Clock of the sandbox."""
        self._tenant = Tenant(self._call)

    def start(self) -> Self:
        """Start to listen, until `stop`.

        Raises:
            RuntimeError: The sandbox is already running.
            OSError: The address is in use, or is not an address of this machine.
            ValueError: The port is invalid.
            sqlite3.Error: `data` is not a database, belongs to another version of the sandbox, or
                cannot be written.
        """
        self._check_process()
        if self._server is not None:
            raise RuntimeError("the sandbox is already running")
        self._log = RequestLog(self._on_request)
        tls: ssl.SSLContext | None = None
        if self._tls:
            # Loads all of `cryptography`, which plain http can do without.
            from poolse.sandbox.certificates import Certificates

            self._certificates = Certificates()
            tls = self._certificates.server_context(self._host)
        try:
            self._server = ServerThread(self._make_app, self._host, self._port, tls)
        except BaseException:
            self._remove_certificates()
            raise
        return self

    def stop(self) -> None:
        """Close all connections and stop. The log remains readable.

        Has no effect in a forked child, because the sandbox belongs to the parent.
        """
        if self._server is not None and not self._server.inherited:
            server, self._server = self._server, None
            server.stop()
            self._remove_certificates()

    def reset(self) -> None:
        """Restart at the same address, as a new sandbox.

        It has no data, users or faults, the clock of the machine, an empty log and, unless
        `api_key` was set, a new API key.
        All connections are closed. The file `data` is kept. A stopped sandbox is started, at
        another port unless `port` was set.
        """
        self._check_process()
        if self._server is None:
            self._forget()
            self.start()
            return
        # What hangs or is mute would hold up the end of the connections.
        self.faults.clear()
        self._forget()
        self._server.replace(self._make_app)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Base URL of REST, without `/v1`: the `api_url` of a client."""
        return listening_url("https" if self._tls else "http", self._host, self._running.port)

    @property
    def ws_url(self) -> str:
        """Base URL of realtime, without `/socket`: the `ws_url` of a client."""
        return listening_url("wss" if self._tls else "ws", self._host, self._running.port)

    @property
    def api_key(self) -> str:
        """API key of the tenant."""
        return self._tenant.api_key

    @property
    def ca_file(self) -> Path:
        """PEM file of the certificate authority of this run."""
        return self._authority.ca_file

    def ssl_context(self) -> ssl.SSLContext:
        """Return a new TLS context for clients that trusts only this sandbox."""
        return self._authority.client_context()

    def token(self, external_id: str, *, lifetime: float = 3600.0) -> str:
        """Return a token of a user, who is created if missing.

        Args:
            external_id: Your own ID for the user.
            lifetime: Seconds until it expires, rounded up to a whole second. Negative for an
                expired token; `math.inf` for one that is the same each time, and after a restart
                if the sandbox has an `api_key` (new in 0.5).
        """
        return self._tenant.token(external_id, lifetime=lifetime)

    def user_id(self, external_id: str) -> str:
        """Return the poolse ID of a user, who is created if missing."""
        return self._tenant.user_id(external_id)

    def add_tenant(self) -> Tenant:
        """Create another tenant, with its own API key and users."""
        return Tenant(self._call, self._call(lambda backend: backend.add_tenant()))

    def block(self, external_id: str, *, blocked: bool = True) -> None:
        """Block a user, who is created if missing, or unblock the user.

        A blocked user may only call `GET /v1/me`. Open sockets stay, but new ones are refused.
        """
        self._call(lambda backend: backend.block(external_id, blocked))

    def seed(self, content: Mapping[str, object]) -> dict[str, str]:
        """Create users, conversations and messages, all of them or nothing. New in 0.6.

        Objects that exist are kept: a user is known by the external ID, a conversation by its name
        among those of its first member.

        Args:
            content: What the TOML file of `poolse sandbox --seed` has: `users` with `external_id`,
                `display_name` and `custom_data`, and `conversations` with `members`, `name`, `type`
                and `messages`, each with `from` and `body`.

        Returns:
            IDs of the conversations, by name.

        Raises:
            ValueError: The content is invalid.
        """
        return self._call(lambda backend: backend.seed(content))

    def broadcast(self, topic: str, event: str, payload: Mapping[str, object]) -> None:
        """Send any event to all users who joined a topic."""
        content = cast(JsonObject, dict(payload))
        self._call(lambda backend: backend.registry.deliver(topic, event, content))

    @property
    def requests(self) -> list[Request]:
        """REST requests of this run, in order of arrival: the newest 8 MB of them."""
        return self._checked_log.requests

    @property
    def handshakes(self) -> list[Request]:
        """WebSocket handshakes of this run. The status of a successful one is 101."""
        return self._checked_log.handshakes

    @property
    def joins(self) -> list[str]:
        """Topics of the successful joins of this run, in order."""
        return self._checked_log.joins

    @property
    def sockets(self) -> int:
        """Number of open sockets."""
        return self._checked_log.sockets

    def wait_for(self, predicate: Callable[[], bool], timeout: float = 5.0) -> None:
        """Wait until a predicate is true. It is checked after each event of the sandbox.

        Args:
            predicate: Function that checks `requests`, `handshakes`, `joins` or `sockets`.
            timeout: Seconds.

        Raises:
            TimeoutError: The predicate was not true in time.
        """
        self._checked_log.wait_for(predicate, timeout)

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a Sandbox cannot be copied or sent to another process: send its url, and the tokens "
            "or the api_key that are needed there"
        )

    @property
    def _checked_log(self) -> RequestLog:
        """Return the request log; raise in a forked child, which has only an old copy."""
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

    def _make_app(self) -> FrontDoor:
        self._backend = Backend(self._log, self.clock, data=self._data, options=self._options)
        self._traffic.clear()
        settings = ControlSettings(
            host=self._host,
            control_hosts=self._control_hosts,
            ca_file=None if self._certificates is None else self._certificates.ca_file,
            reset=self._reset_around,
        )
        return FrontDoor(self._backend, self.clock, self._traffic, settings)

    def _forget(self) -> None:
        """Forget what an earlier run has left."""
        self.clock.reset()
        self._tenant = Tenant(self._call)
        self._log = RequestLog(self._on_request)

    async def _reset_around(self, connection: HttpConnection) -> None:
        """Reset on the sandbox's own loop, where a request of this connection asks for it."""
        cast(Backend, self._backend).faults.clear()
        self._forget()
        await self._running.replace_around(self._make_app, connection)

    def _call(self, function: Callable[[Backend], T]) -> T:
        return self._running.call(lambda: function(cast(Backend, self._backend)))

    def _remove_certificates(self) -> None:
        if self._certificates is not None:
            self._certificates.remove()
            self._certificates = None
