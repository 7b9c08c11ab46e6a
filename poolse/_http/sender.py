"""What the sync and the async sender have in common: their arguments, and errors as ours."""

from __future__ import annotations

import ssl
import sys
from typing import Any

import attrs

from poolse._http.errors import MAX_CONNECTIONS, our_error
from poolse._observe.log_redaction import redacting
from poolse._rest.http_messages import Request, Response
from poolse._rest.request_io import Lifetime
from poolse._support.open_resources import OpenResources
from poolse._support.size_limits import MAX_RESPONSE
from poolse.cancel import CancelToken
from poolse.options import Timeout

__all__ = ["HttpSender"]


@attrs.define(kw_only=True, eq=False, repr=False, slots=False)
class HttpSender:
    """Sends requests. Creating one opens nothing and loads no certificates."""

    http_client: Any = None
    """An httpx client of the caller's own, which is not changed and not closed."""
    proxy: str | None = None
    ssl_context: ssl.SSLContext | None = None
    max_connections: int = MAX_CONNECTIONS
    max_response: int = MAX_RESPONSE
    """Bytes of a response that are accepted."""
    resources: OpenResources = attrs.field(factory=OpenResources)
    lifetime: Lifetime = attrs.field(factory=Lifetime)

    def __attrs_post_init__(self) -> None:
        # Not the client: this outlives it while a view, or an iteration over pages, continues.
        self.resources.of(self)

    async def send(
        self, request: Request, timeout: Timeout, cancel: CancelToken | None
    ) -> Response:
        """Send once and read the whole response, whatever its status.

        Raises:
            Cancelled: By the token.
            DecodeError: The response is too large.
            NetworkError: No complete response came.
            RequestTimeout: One of the limits was reached.
            UsageError: The request cannot be sent as HTTP, this is or was closed meanwhile, or is
                in use in another event loop.
        """
        before = sys.exception()
        mark = redacting.set(request)
        try:
            return await self._attempt(request, timeout, cancel)
        except BaseException as error:
            failure = our_error(error, before, request, timeout, self.lifetime)
            if failure is None:
                raise
            raise failure from error
        finally:
            redacting.reset(mark)

    async def _attempt(
        self, request: Request, timeout: Timeout, cancel: CancelToken | None
    ) -> Response:
        """Send once. What an HTTP library raises may come out of it."""
        raise NotImplementedError
