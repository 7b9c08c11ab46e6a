"""Raw clients of the sandbox: httpx and `websockets`, and nothing of ours."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import Any, Self

import httpx
import websocket
from websockets.exceptions import ConnectionClosed, ConnectionClosedError
from websockets.frames import Close
from websockets.sync.client import connect

from poolse.testing import Sandbox

Frame = list[Any]
"""[join_ref, ref, topic, event, payload]"""


class User:
    """A user with a REST client, and a socket when asked for."""

    def __init__(self, sandbox: Sandbox, name: str, *, tls: bool = False) -> None:
        self.id = sandbox.user_id(name)
        self.token = sandbox.token(name)
        self._sandbox = sandbox
        self._ssl = sandbox.ssl_context() if tls else None
        self.http = httpx.Client(
            base_url=sandbox.url,
            headers={"authorization": f"Bearer {self.token}"},
            verify=self._ssl or False,
            trust_env=False,
        )
        self._open = ExitStack()
        self._open.enter_context(self.http)

    def close(self) -> None:
        self._open.close()

    def conversation(self, *others: str, **fields: object) -> str:
        """Create a group and give its id."""
        body = {"type": "group", "member_external_ids": others, **fields}
        answer = self.http.post("/v1/conversations", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def send(self, conversation_id: str, **fields: object) -> dict[str, Any]:
        """Send a message and give its row."""
        answer = self.http.post(f"/v1/conversations/{conversation_id}/messages", json=fields)
        assert answer.status_code in {200, 201}, answer.text
        row: dict[str, Any] = answer.json()
        return row

    def page(self, conversation_id: str, **query: object) -> list[dict[str, Any]]:
        """List messages."""
        path = f"/v1/conversations/{conversation_id}/messages"
        answer = self.http.get(path, params={name: str(value) for name, value in query.items()})
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["data"]
        return rows

    def ask(self, method: str, path: str, **body: object) -> httpx.Response:
        """Any request; a body goes with what is neither GET nor DELETE."""
        if method in {"GET", "DELETE"}:
            return self.http.request(method, f"/v1{path}")
        return self.http.request(method, f"/v1{path}", json=body)

    def phone(self) -> Phone:
        """Open a socket."""
        url = f"{self._sandbox.ws_url}/socket/websocket?token={self.token}&vsn=2.0.0"
        if self._ssl is not None:
            return Phone(self._open.enter_context(TlsWire(url, self._ssl)))
        # Reads on when nobody takes what it read: else it would not see the answer to its close.
        wire = connect(url, compression=None, ping_interval=None, max_queue=None)
        return Phone(self._open.enter_context(wire))


class TlsWire:
    """`websocket-client` in the shape of `websockets`.

    The latter reads in a thread of its own, and that breaks TLS when another thread sends.
    """

    def __init__(self, url: str, context: ssl.SSLContext) -> None:
        options = {"context": context}
        self._ws: Any = websocket.create_connection(url, sslopt=options, timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ws.shutdown()

    def send(self, text: str) -> None:
        """Send a text message."""
        self._ws.send(text)

    def recv(self, timeout: float) -> str:
        """The next text message; raises what `websockets` would."""
        self._ws.settimeout(timeout)
        try:
            opcode, frame = self._ws.recv_data_frame(control_frame=True)
        except (OSError, websocket.WebSocketConnectionClosedException):
            raise ConnectionClosedError(None, None) from None
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            raise ConnectionClosedError(Close(int.from_bytes(frame.data[:2], "big"), ""), None)
        return str(frame.data, "utf-8")


class Phone:
    """An open socket."""

    def __init__(self, wire: Any) -> None:
        self.wire = wire

    def send(self, *frame: object) -> None:
        """Send join_ref, ref, topic, event and payload."""
        self.wire.send(json.dumps(frame))

    def hear(self) -> Frame:
        """The next frame."""
        frame: Frame = json.loads(self.wire.recv(timeout=5))
        return frame

    def hear_text(self) -> str:
        """The next frame as it came."""
        return str(self.wire.recv(timeout=5))

    def heartbeat(self, ref: str) -> Frame:
        """Send a heartbeat and give the next frame, which is its reply when nothing else came."""
        self.send(None, ref, "phoenix", "heartbeat", {})
        return self.hear()

    def assert_quiet(self) -> None:
        """Nothing was sent to this socket that has not been heard."""
        assert self.heartbeat("quiet")[1:4] == ["quiet", "phoenix", "phx_reply"]

    def join(self, topic: str, ref: str = "1") -> Frame:
        """Join, hear the reply, one's own arrival and the state; give the state."""
        self.send(ref, ref, topic, "phx_join", {})
        assert self.hear() == [ref, ref, topic, "phx_reply", {"response": {}, "status": "ok"}]
        assert self.hear()[:4] == [None, None, topic, "presence_diff"]
        state = self.hear()
        assert state[:4] == [ref, None, topic, "presence_state"]
        return state

    def listen(self, topic: str, ref: str = "1") -> None:
        """Join a topic without presence."""
        self.send(ref, ref, topic, "phx_join", {})
        assert self.hear() == [ref, ref, topic, "phx_reply", {"response": {}, "status": "ok"}]

    def close_code(self) -> int | None:
        """Read on until the end; the code of the close frame, None when there was none."""
        try:
            while True:
                self.wire.recv(timeout=5)
        except ConnectionClosed as closed:
            return None if closed.rcvd is None else closed.rcvd.code

    def hang_up(self) -> None:
        """Close the socket."""
        self.wire.close()


NewUser = Callable[[str], User]


@contextmanager
def users_of(sandbox: Sandbox, *, tls: bool = False) -> Generator[NewUser]:
    """Makes users, and closes what they opened."""
    made: list[User] = []

    def new_user(name: str) -> User:
        made.append(User(sandbox, name, tls=tls))
        return made[-1]

    try:
        yield new_user
    finally:
        for user in made:
            user.close()


def error_of(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of an error, whose envelope is complete."""
    error = answer.json()["error"]
    assert error["message"]
    assert error["doc_url"] == f"https://poolse.dev/docs/errors#{error['code']}"
    assert answer.headers["x-request-id"]
    return answer.status_code, error["code"]


def complaints_of(answer: httpx.Response) -> set[str]:
    """The fields that a 422 complains about."""
    assert error_of(answer) == (422, "validation_failed")
    return set(answer.json()["error"]["details"])
