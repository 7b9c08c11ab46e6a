"""The storage behind signed URLs, which answers as an S3 does. It knows nothing of tokens."""

from __future__ import annotations

import hmac
import re
from collections.abc import Generator, Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, NoReturn, cast

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from poolse.sandbox.ranges import read_range
from poolse.sandbox.signing import Grant, signature
from poolse.sandbox.store import Store
from poolse.sandbox.strict_json import JsonObject

__all__ = ["PREFIX", "Storage", "storage_path", "xml_error"]

PREFIX = "/storage/"
"""What the paths of the storage begin with."""

_PATH = re.compile(re.escape(PREFIX) + "([^/]+)/([^/]+)")
_CHUNK = 64 * 1024


class StorageError(Exception):
    """The request is answered with an error, in XML."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.answer: Response = xml_error(status, code, message, headers)


class Target(NamedTuple):
    """The file that a request is about."""

    tenant_id: str
    attachment_id: str
    row: JsonObject


def storage_path(tenant_id: str, attachment_id: str) -> str:
    """Where the bytes of an attachment are."""
    return f"{PREFIX}{tenant_id}/{attachment_id}"


def xml_error(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    """An error of the storage; code and message are our own words."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    )
    return Response(body, status, headers, "application/xml")


class FileResponse(Response):
    """Bytes of a file, which are read while they are sent."""

    def __init__(self, path: Path, part: range, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(None, status, headers)
        self._path = path
        self._part = part

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it."""
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})
        part = range(0) if scope["method"] == "HEAD" else self._part
        with closing(_chunks(self._path, part)) as chunks:
            for chunk in chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


class Storage:
    """An ASGI application for everything below `PREFIX`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope, receive)
        try:
            answer = await self._serve(request)
        except StorageError as error:
            answer = error.answer
        except ClientDisconnect:
            return
        except Exception:
            # The server logs what is raised, but not before there is a response.
            bug = xml_error(500, "InternalError", "the sandbox failed; its log says more")
            await bug(scope, receive, send)
            raise
        await answer(scope, receive, send)

    async def _serve(self, request: Request) -> Response:
        if request.method not in {"PUT", "GET", "HEAD"}:
            allow = {"allow": "GET, HEAD, PUT"}
            raise StorageError(405, "MethodNotAllowed", "the method is not allowed here", allow)
        target = self._target(request)
        if request.method == "PUT":
            return await self._put(target, request)
        return self._get(target, request)

    def _target(self, request: Request) -> Target:
        """The file that the signed URL is about, if it allows this very request."""
        found = _PATH.fullmatch(request.url.path)
        if found is None:
            raise StorageError(404, "NoSuchKey", "the path names no file")
        tenant_id, attachment_id = found.groups()
        self._check_signature(request, self._store.signing_key(tenant_id))
        file = self._store.attachment(tenant_id, attachment_id)
        if file is None:
            _missing()
        return Target(tenant_id, attachment_id, file.row)

    def _check_signature(self, request: Request, key: str | None) -> None:
        if "authorization" in request.headers:
            message = "the URL is signed already: send no Authorization header"
            raise StorageError(400, "InvalidArgument", message)
        given, expires = (request.query_params.get(name, "") for name in ("signature", "expires"))
        if key is None or not given or not re.fullmatch("[0-9]{1,15}", expires):
            raise StorageError(403, "AccessDenied", "the URL is not signed")
        grant = _asked_for(request, expires)
        if not hmac.compare_digest(given.encode(), signature(grant, key).encode()):
            message = "the method, the path, the type or the size is not what was signed"
            raise StorageError(403, "SignatureDoesNotMatch", message)
        if int(expires) <= self._store.clock.now():
            raise StorageError(403, "AccessDenied", "Request has expired")

    async def _put(self, target: Target, request: Request) -> Response:
        """Take the bytes; until a message has the file, they may be sent again."""
        with self._store.blobs.writing(target.attachment_id) as part:
            async for chunk in request.stream():
                part.write(chunk)
            with self._store.transaction():
                if not self._store.note_upload(target.attachment_id, part.sha256):
                    raise StorageError(403, "AccessDenied", "a message has the file, or it is gone")
                part.keep()
        return Response(headers={"etag": f'"{part.sha256}"'})

    def _get(self, target: Target, request: Request) -> Response:
        path = self._store.blobs.path(target.attachment_id)
        if target.row["sha256"] is None or not path.exists():
            _missing()
        size, etag = cast(int, target.row["byte_size"]), f'"{target.row["sha256"]}"'
        headers = {"accept-ranges": "bytes", "etag": etag}
        wanted = _wanted(request, size, etag)
        if wanted is not None and not wanted:
            headers["content-range"] = f"bytes */{size}"
            message = "the file has no such bytes"
            raise StorageError(416, "InvalidRange", message, headers)
        status, part = 200, range(size)
        if wanted is not None:
            status, part = 206, wanted
            headers["content-range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
        headers["content-length"] = str(len(part))
        headers["content-type"] = str(target.row["content_type"])
        return FileResponse(path, part, status, headers)


def _missing() -> NoReturn:
    raise StorageError(404, "NoSuchKey", "there are no such bytes")


def _asked_for(request: Request, expires: str) -> Grant:
    """What a request would have to be allowed."""
    path = request.url.path
    if request.method != "PUT":
        return Grant("GET", path, expires)
    headers = request.headers
    if "transfer-encoding" in headers:
        message = "the size has to be said before: send a Content-Length header"
        raise StorageError(411, "MissingContentLength", message)
    sent = headers.get("content-type", ""), headers.get("content-length", "0")
    return Grant("PUT", path, expires, *sent)


def _wanted(request: Request, size: int, etag: str) -> range | None:
    """The range that is asked for, None for the whole file."""
    header = request.headers.get("range")
    if header is None or request.method == "HEAD":
        return None
    return read_range(header, size) if request.headers.get("if-range", etag) == etag else None


def _chunks(path: Path, part: range) -> Generator[bytes]:
    with path.open("rb") as file:
        file.seek(part.start)
        for start in range(part.start, part.stop, _CHUNK):
            yield file.read(min(_CHUNK, part.stop - start))
