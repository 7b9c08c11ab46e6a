"""An HTTP server that answers by script, byte by byte if need be, and keeps what it was sent."""

from __future__ import annotations

import base64
import email.utils
import json
import re
import socket
import threading
import time
from types import TracebackType
from typing import Any, BinaryIO, Self

import attrs

Script = dict[str, Any]


@attrs.frozen
class Seen:
    """A request as it came over the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class ScriptServer:
    """Answers the n-th request with the n-th script, one connection each, then closes it."""

    def __init__(self, scripts: list[Script]) -> None:
        self.seen: list[Seen] = []
        self._scripts = scripts
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.base = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, name="script-server")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._thread.is_alive():
            self.refuse()

    def refuse(self) -> None:
        """Stop listening, so that connections are refused."""
        # shutdown wakes the accept; close alone would leave it blocked.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                request = read_request(stream)
                if request is None:
                    continue
                self.seen.append(request)
                script = self._scripts[len(self.seen) - 1 :][:1]
                answer = script[0] if script else {"status": 599, "text": "script exhausted"}
                connection.sendall(render_answer(answer, self.base))


def read_request(stream: BinaryIO) -> Seen | None:
    line = stream.readline()
    if not line.strip():
        return None
    method, path, _ = line.decode("latin-1").split(" ")
    headers: dict[str, str] = {}
    while (header := stream.readline()) not in (b"\r\n", b""):
        name, _, value = header.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return Seen(method, path, headers, stream.read(int(headers.get("content-length", "0"))))


def render_answer(script: Script, base: str) -> bytes:
    if script.get("drop"):
        return b""
    if "raw" in script:
        return str(script["raw"]).encode("latin-1")
    body, kind = _body(script, base)
    headers = {"connection": "close", **({"content-type": kind} if kind else {})}
    for name, value in script.get("headers", {}).items():
        headers[name.lower()] = fill(value, base)
    if script.get("chunked"):
        headers["transfer-encoding"] = "chunked"
        body = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in _pieces(body)) + b"0\r\n\r\n"
    elif script["status"] in (204, 304):
        body = b""
    else:
        missing = 64 if script.get("drop_mid_body") else 0
        headers["content-length"] = str(len(body) + missing)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {script['status']} X\r\n{head}\r\n".encode("latin-1") + body


def fill(text: str, base: str) -> str:
    """Replace the placeholders of the vectors."""

    def date(found: re.Match[str]) -> str:
        return email.utils.formatdate(time.time() + int(found[1]), usegmt=True)

    return re.sub(r"\{\{http_date:([+-]?\d+)\}\}", date, text.replace("{{base}}", base))


def _body(script: Script, base: str) -> tuple[bytes, str | None]:
    if "json" in script:
        text = json.dumps(script["json"], ensure_ascii=False)
        return fill(text, base).encode("utf-8", "surrogatepass"), "application/json"
    if "base64" in script:
        return base64.b64decode(script["base64"]), None
    return fill(script.get("text", ""), base).encode(), None


def _pieces(body: bytes) -> list[bytes]:
    return [body[start : start + 7] for start in range(0, len(body), 7)]
