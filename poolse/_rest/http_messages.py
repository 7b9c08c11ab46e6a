"""Requests and responses as plain values, and their bodies.

A server may lie about lengths, and a kilobyte of compressed zeros is a megabyte: `BodyDecoder`
decompresses a body piece by piece, and never more than a limit.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Final, Protocol

import attrs

from poolse._network.urls import split
from poolse._support.argument_checks import TOKEN, check_header
from poolse._support.repr import ReprMixin
from poolse.errors import DecodeError

__all__ = [
    "ENCODINGS",
    "BodyDecoder",
    "Request",
    "RequestBody",
    "Response",
    "ResponseSink",
    "pieces_of",
    "rate_limit_of",
    "read_body",
    "response_headers",
]

ENCODINGS: Final = "gzip, deflate"
"""The encodings asked for: both can be decompressed piece by piece, up to a limit."""

WINDOWS: Final[Mapping[str, int]] = {
    "gzip": zlib.MAX_WBITS | 16,
    "x-gzip": zlib.MAX_WBITS | 16,
    "deflate": zlib.MAX_WBITS,
}
"""The parameter of zlib for each encoding."""


PLAIN_VALUE: Final = re.compile(r"[!-~]+( [!-~]+)*")
"""What can be the value of a header without a closer look."""


class RequestBody(Protocol):
    """A body that is sent piece by piece, so that it need not fit into memory."""

    @property
    def size(self) -> int:
        """The number of bytes of all pieces together."""
        ...

    async def next(self) -> bytes:
        """Return the next piece; empty at the end."""
        ...


class ResponseSink(Protocol):
    """Receives the body of a response piece by piece, so that it need not fit into memory."""

    async def begins(self, status: int, headers: Mapping[str, str]) -> bool:
        """Return whether to receive the body of this response. If not, it is read into memory."""
        ...

    async def takes(self, piece: bytes) -> None:
        """Receive the next piece as it came: not decompressed."""
        ...


def rate_limit_of(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that say how many more requests the server accepts."""
    # The names are no standard yet: RateLimit, RateLimit-Remaining, X-RateLimit-Remaining.
    lower = {name.lower(): value for name, value in headers.items()}
    return {name: value for name, value in lower.items() if "ratelimit" in name}


def _without_query(target: str) -> str:
    """Return a target without its query, which may hold a signature."""
    path, question, _ = target.partition("?")
    return repr(f"{path}{question and '?...'}")


@attrs.frozen(eq=False, repr=False)
class Request(ReprMixin):
    """A request as plain values, for any HTTP library."""

    method: str
    origin: str
    """Scheme, host and port, such as `https://api.poolse.dev`."""
    target: str = attrs.field(repr=False)
    """Path and query, already percent-encoded: sent byte for byte as they stand here."""
    headers: Sequence[tuple[str, str]] = attrs.field(repr=False)
    """The token is among them."""
    content: bytes | RequestBody | None = attrs.field(repr=False)
    idempotency_key: str | None = attrs.field(default=None, repr=False)
    """The one among the headers, if the operation takes one."""
    bare: bool = attrs.field(default=False, kw_only=True)
    """Whether the headers are signed: none may be added, and the response not be compressed."""
    shown: str = attrs.field(
        default=attrs.Factory(attrgetter("target"), takes_self=True),
        kw_only=True,
        repr=_without_query,
    )
    """The target, with `...` in the place of secrets in its path."""
    sink: ResponseSink | None = attrs.field(default=None, kw_only=True, repr=False)
    """Receives the body of the response, if it wants it."""

    @classmethod
    def to(
        cls,
        method: str,
        url: str,
        headers: Sequence[tuple[str, str]],
        content: bytes | RequestBody | None,
        *,
        bare: bool = False,
    ) -> Request:
        """Return a request to an absolute URL.

        Raises:
            UsageError: No request can be sent to the URL.
        """
        origin, _, target = split(url)
        return cls(method, origin, target, headers, content, bare=bare)

    @property
    def url(self) -> str:
        """The whole URL."""
        return self.origin + self.target

    def header(self, name: str) -> str | None:
        """Return the value of a header, in whatever case; None without it."""
        name = name.lower()
        return next((value for key, value in self.headers if key.lower() == name), None)

    def wire_headers(self) -> list[tuple[str, str]]:
        """Return the headers to send, including accepted encodings and the length of the body.

        Raises:
            UsageError: HTTP cannot carry one of them.
        """
        headers = [*self.headers]
        for name, value in headers:
            if not TOKEN.fullmatch(name) or not PLAIN_VALUE.fullmatch(value):
                check_header(name, value)
        if not self.bare:
            # An HTTP client of the caller's own may accept more, which has no limit decompressed.
            headers.append(("Accept-Encoding", ENCODINGS))
        content = self.content
        if isinstance(content, bytes):
            headers.append(("Content-Length", str(len(content))))
        elif content is not None:
            headers = [pair for pair in headers if pair[0].lower() != "content-length"]
            headers.append(("Content-Length", str(content.size)))
        elif self.method in ("POST", "PUT", "PATCH"):
            headers.append(("Content-Length", "0"))
        return headers


@attrs.frozen(eq=False, repr=False)
class Response(ReprMixin):
    """A whole response: its body has been read."""

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    """By names in lower case. A redirect may repeat a signed URL there."""
    content: bytes = attrs.field(repr=False)


def response_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers of a response, by names in lower case. Those of one name are joined."""
    headers: dict[str, str] = {}
    for name, value in raw:
        key = name.decode("latin-1").lower()
        try:
            text = value.decode()
        except UnicodeDecodeError:
            text = value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


class BodyDecoder:
    """Puts a body together from its pieces, decompressed.

    All methods raise `DecodeError` when the body has more than `limit` bytes, compressed or not,
    or an encoding that was not asked for; and `zlib.error` when it is not what its encoding says.
    """

    def __init__(self, status: int, headers: Mapping[str, str], limit: int) -> None:
        self._status = status
        self._limit = limit
        self._left = self._compressed_left = limit
        self._pieces: list[bytes] = []
        length = headers.get("content-length", "")
        if length.isdecimal() and (len(length) > 18 or int(length) > limit):
            # Its first byte is one too many. A response to HEAD has none.
            self._compressed_left = 0
        encoding = headers.get("content-encoding", "identity").strip().lower()
        self._decompressor: _Decompressor | None = None
        if encoding not in ("", "identity"):
            if encoding not in WINDOWS:
                raise DecodeError(
                    f"the response (HTTP {status}) is compressed, but not with {ENCODINGS}"
                )
            self._decompressor = _Decompressor(WINDOWS[encoding])

    def add(self, piece: bytes) -> None:
        """Add the next piece, as it came."""
        self._compressed_left -= len(piece)
        if self._compressed_left < 0:
            raise self._too_large()
        if self._decompressor is not None:
            # One byte more than allowed shows that there is more.
            piece = self._decompressor.decompress(piece, self._left + 1)
        self._left -= len(piece)
        if self._left < 0:
            raise self._too_large()
        self._pieces.append(piece)

    def finish(self) -> bytes:
        """Return the whole body."""
        if self._decompressor is not None:
            self._decompressor.finish()
        return b"".join(self._pieces)

    def _too_large(self) -> DecodeError:
        # The error's traceback keeps this object, which needs the pieces no more.
        self._pieces.clear()
        return DecodeError(
            f"the response (HTTP {self._status}) has more than {self._limit} bytes: "
            "to allow it, raise max_response_bytes of the client"
        )


class _Decompressor:
    def __init__(self, window: int) -> None:
        self._window = window
        self._zlib = zlib.decompressobj(window)
        self._begun = False

    def decompress(self, piece: bytes, most: int) -> bytes:
        """Decompress a piece, up to a number of bytes."""
        first, self._begun = not self._begun, self._begun or bool(piece)
        try:
            return self._zlib.decompress(piece, most)
        except zlib.error:
            if not first or self._window != zlib.MAX_WBITS:
                raise
            # Some servers call the raw format deflate.
            self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)
            return self._zlib.decompress(piece, most)

    def finish(self) -> None:
        """Check that nothing is missing. A response without a body has nothing compressed."""
        if self._begun and not self._zlib.eof:
            raise zlib.error("cut short")


async def read_body(
    status: int,
    headers: dict[str, str],
    pieces: AsyncIterator[bytes],
    limit: int,
    sink: ResponseSink | None,
) -> Response:
    """Return the whole response. A body that the sink receives is empty."""
    if sink is not None and await sink.begins(status, headers):
        async for piece in pieces:
            await sink.takes(piece)
        return Response(status, headers, b"")
    body = BodyDecoder(status, headers, limit)
    async for piece in pieces:
        body.add(piece)
    return Response(status, headers, body.finish())


async def pieces_of(body: RequestBody) -> AsyncIterator[bytes]:
    """Iterate over the pieces of a body."""
    while piece := await body.next():
        yield piece
