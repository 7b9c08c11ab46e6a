"""The bytes of a response, without a body where HTTP allows none.

A response to HEAD has no body, nor has one with status 204 or 304 or below 200. Some servers send
one all the same, often `Content-Length: 2` and `{}` after a 204. To a parser those bytes are the
beginning of the next response, and that is broken: for one of our HTTP libraries the response that
they follow too. So they are taken out before any parser sees them.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["ResponseBytes"]

END_OF_HEAD: Final = re.compile(rb"\r?\n\r?\n")
STATUS: Final = re.compile(rb"\s*HTTP/\d\.\d (\d{3})")
LENGTH: Final = re.compile(rb"\ncontent-length:[ \t]*(\d{1,18})[ \t]*\r?\n", re.IGNORECASE)
BODY: Final = re.compile(rb"\n(content-length:[ \t]*0*[1-9]|transfer-encoding:)", re.IGNORECASE)
"""A header that announces a body."""


class ResponseBytes:
    """Sees the bytes of one response after another on a connection."""

    def __init__(self) -> None:
        self.is_spoilt = False
        """Whether something came, or will, that belongs to no response: use the connection for no
        other request."""
        self._expects_none = False
        self._begun = b""
        self._is_body = True
        self._is_dropping = False
        self._skip = 0

    def expect(self, method: str) -> None:
        """Note the method of the sent request, whose response is next."""
        self._expects_none = method == "HEAD"
        self._begun = b""
        self._is_body = self._is_dropping = False
        self._skip = 0

    def take(self, data: bytes) -> bytes:
        """Return what of these bytes may be parsed."""
        if self._is_body:
            return data
        kept = b""
        while data and not self._is_body:
            if self._is_dropping:
                self.is_spoilt = True
                return kept
            if b"HTTP/".startswith(data[:5]):
                self._skip = 0
            if self._skip:
                self._skip, data = max(0, self._skip - len(data)), data[self._skip :]
                continue
            part, data = self._head(data)
            kept += part
        return kept + data

    def _head(self, data: bytes) -> tuple[bytes, bytes]:
        """Return the part of the bytes that belongs to a head, and the rest."""
        before = len(self._begun)
        self._begun += data
        end = END_OF_HEAD.search(self._begun, max(0, before - 3))
        if end is None:
            return data, b""
        head, self._begun = self._begun[: end.end()], b""
        size = end.end() - before
        found = STATUS.match(head)
        status = int(found[1]) if found else 0
        if 100 <= status < 200 and status != 101:
            # Another head follows, at once, or after a body that must not be either.
            length = LENGTH.search(head)
            self._skip = int(length[1]) if length and BODY.search(head) else 0
        elif status in (204, 304) or self._expects_none:
            self._is_dropping = True
            # Those of HEAD and 304 announce the body that another request would get.
            self.is_spoilt = self.is_spoilt or (status == 204 and bool(BODY.search(head)))
        else:
            self._is_body = True
        return data[:size], data[size:]
