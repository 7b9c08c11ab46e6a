"""Object storage behind signed URLs, which responds as S3 does. It knows nothing of tokens."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Generator, Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, NoReturn, cast

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from poolse.sandbox.store import Store
from poolse.sandbox.strict_json import JsonObject

__all__ = ["PREFIX", "Grant", "Storage", "signed_url", "storage_path", "xml_error"]

PREFIX = "/storage/"
"""Prefix of the paths of the object storage."""

_PATH = re.compile(re.escape(PREFIX) + "([^/]+)/([^/]+)")
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.IGNORECASE)
_CHUNK = 64 * 1024


class StorageError(Exception):
    """The response is an error, in XML."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.response: Response = xml_error(status, code, message, headers)


class Target(NamedTuple):
    """The file that a request is about."""

    tenant_id: str
    attachment_id: str
    row: JsonObject


def storage_path(tenant_id: str, attachment_id: str) -> str:
    """Return the path of the bytes of an attachment."""
    return f"{PREFIX}{tenant_id}/{attachment_id}"


def xml_error(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Return an error of the object storage; code and message are our own."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    )
    return Response(body, status, headers, "application/xml")


class Grant(NamedTuple):
    """What a signed URL allows. All of it is signed, so nothing of it can be changed."""

    method: str
    path: str
    expires: str
    """Unix time in whole seconds."""
    content_type: str = ""
    byte_size: str = ""


def _signature(grant: Grant, key: str) -> str:
    """Return the signature of a grant, in hexadecimal."""
    # A key of its own: what signs tokens signs nothing else.
    storage_key = hmac.digest(key.encode(), b"storage", hashlib.sha256)
    return hmac.new(storage_key, "\n".join(grant).encode(), hashlib.sha256).hexdigest()


def signed_url(base: str, grant: Grant, key: str) -> str:
    """Return the URL for a grant; `base` is the address of the sandbox without a slash."""
    return f"{base}{grant.path}?expires={grant.expires}&signature={_signature(grant, key)}"


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
            response = await self._serve(request)
        except StorageError as error:
            response = error.response
        except ClientDisconnect:
            return
        except Exception:
            # The server logs what is raised, but not before there is a response.
            bug = xml_error(500, "InternalError", "the sandbox failed; its log says more")
            await bug(scope, receive, send)
            raise
        await response(scope, receive, send)

    async def _serve(self, request: Request) -> Response:
        if request.method not in {"PUT", "GET", "HEAD"}:
            allow = {"allow": "GET, HEAD, PUT"}
            raise StorageError(405, "MethodNotAllowed", "the method is not allowed here", allow)
        target = self._target(request)
        if request.method == "PUT":
            return await self._put(target, request)
        return self._get(target, request)

    def _target(self, request: Request) -> Target:
        """Return the file of the signed URL, if it allows this request."""
        match = _PATH.fullmatch(request.url.path)
        if match is None:
            raise StorageError(404, "NoSuchKey", "the path is not the name of a file")
        tenant_id, attachment_id = match.groups()
        self._check_signature(request, self._store.signing_key(tenant_id))
        file = self._store.attachment(tenant_id, attachment_id)
        if file is None:
            _missing()
        return Target(tenant_id, attachment_id, file.row)

    def _check_signature(self, request: Request, key: str | None) -> None:
        if "authorization" in request.headers:
            message = "the URL is signed already: send no Authorization header"
            raise StorageError(400, "InvalidArgument", message)
        signature, expires = (
            request.query_params.get(name, "") for name in ("signature", "expires")
        )
        if key is None or not signature or not re.fullmatch("[0-9]{1,15}", expires):
            raise StorageError(403, "AccessDenied", "the URL is not signed")
        grant = _asked_for(request, expires)
        if not hmac.compare_digest(signature.encode(), _signature(grant, key).encode()):
            message = "the method, the path, the type or the size is not what was signed"
            raise StorageError(403, "SignatureDoesNotMatch", message)
        if int(expires) <= self._store.clock.now():
            raise StorageError(403, "AccessDenied", "Request has expired")

    async def _put(self, target: Target, request: Request) -> Response:
        """Store the bytes; until a message has the file, they may be sent again."""
        with self._store.files.writing(target.attachment_id) as part:
            async for chunk in request.stream():
                part.write(chunk)
            with self._store.transaction():
                if not self._store.note_upload(target.attachment_id, part.sha256):
                    raise StorageError(403, "AccessDenied", "a message has the file, or it is gone")
                part.keep()
        return Response(headers={"etag": f'"{part.sha256}"'})

    def _get(self, target: Target, request: Request) -> Response:
        path = self._store.files.path(target.attachment_id)
        if target.row["sha256"] is None or not path.exists():
            _missing()
        size, etag = cast(int, target.row["byte_size"]), f'"{target.row["sha256"]}"'
        headers = {"accept-ranges": "bytes", "etag": etag}
        wanted = _requested_range(request, size, etag)
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
    """Return the request that a signature allows."""
    path = request.url.path
    if request.method != "PUT":
        return Grant("GET", path, expires)
    headers = request.headers
    if "transfer-encoding" in headers:
        message = "the size has to be said before: send a Content-Length header"
        raise StorageError(411, "MissingContentLength", message)
    sent = headers.get("content-type", ""), headers.get("content-length", "0")
    return Grant("PUT", path, expires, *sent)


def _requested_range(request: Request, size: int, etag: str) -> range | None:
    """Return the range that is asked for, None for the whole file."""
    header = request.headers.get("range")
    if header is None or request.method == "HEAD":
        return None
    return _read_range(header, size) if request.headers.get("if-range", etag) == etag else None


def _chunks(path: Path, part: range) -> Generator[bytes]:
    with path.open("rb") as file:
        file.seek(part.start)
        for start in range(part.start, part.stop, _CHUNK):
            yield file.read(min(_CHUNK, part.stop - start))


def _read_range(header: str, size: int) -> range | None:
    """Return the requested bytes; an empty range if they lie outside of the file.

    None for a header that is not understood, such as one with several ranges: it is ignored.
    """
    match = _RANGE.fullmatch(header.replace(" ", ""))
    if match is None or header.strip().endswith("=-"):
        return None
    first, last = match[1], match[2]
    if not first:
        return range(max(0, size - int(last)), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(size, int(last) + 1) if last else size)
