"""In tests: validates the responses of the sandbox, and the recipients of events."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from poolse.sandbox.api_filter import ApiFilter
from poolse.sandbox.errors import STATUS, ApiRefusal
from poolse.sandbox.routes import match

__all__ = ["ValidatedRest", "report", "watch"]

_NO_OPERATION = {"not_found", "method_not_allowed", "bad_request"}
"""Codes of the responses to requests that match no operation."""

_reporters: list[Callable[[str], None]] = []


@contextmanager
def watch(reporter: Callable[[str], None]) -> Generator[None]:
    """Check all that the sandboxes of this process send; `reporter` is called with each error."""
    _reporters.append(reporter)
    try:
        yield
    finally:
        _reporters.remove(reporter)


def report(subject: str, faults: Iterable[str]) -> None:
    """Report what is wrong with something. Outside of `watch`, a generator is not even begun."""
    if not _reporters:
        return
    for fault in faults:
        for reporter in _reporters:
            reporter(f"{subject}: {fault}")


class ValidatedRest:
    """The REST half of a backend; its responses are checked inside of `watch`."""

    def __init__(self, rest: ASGIApp, api_filter: ApiFilter | None = None) -> None:
        """Wrap the REST application of one version of the API, or of the newest."""
        self._rest = rest
        self._filter = api_filter or ApiFilter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if not _reporters:
            await self._rest(scope, receive, send)
            return
        sent: list[Message] = []

        async def recorded(message: Message) -> None:
            sent.append(message)
            await send(message)

        await self._rest(scope, receive, recorded)
        method, path = scope["method"], scope["raw_path"].decode("latin-1")
        status: int = sent[0]["status"]
        body = b"".join(message.get("body", b"") for message in sent)
        report(f"{method} {path} {status}", _faults(self._filter, method, path, status, body))


def _faults(
    api_filter: ApiFilter, method: str, path: str, status: int, body: bytes
) -> Iterator[str]:
    """Yield what is wrong with a response."""
    value: Any = json.loads(body) if body else None
    code = value["error"]["code"] if status >= 400 else None
    if code is not None and STATUS[code] != status:
        yield f"the status does not go with {code}"
    try:
        endpoint = match(method, path, api_filter).endpoint
    except ApiRefusal:
        if code not in _NO_OPERATION:
            yield f"{code} where there is no operation"
        return
    # As in `rest`: the sandbox starts without.
    from poolse.sandbox.spec import operation

    spec = operation(endpoint.method, endpoint.path, api_filter.version)
    if code is not None and code not in spec.codes:
        yield f"{code} is not in the spec"
    name = next(
        (name for name in (str(status), f"{status // 100}XX") if name in spec.responses), ""
    )
    if not name:
        yield "the status is not in the spec"
        return
    schema = spec.responses[name]
    if schema is None:
        if body:
            yield "there should be no body"
    else:
        yield from schema.faults(value)
