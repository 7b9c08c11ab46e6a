"""A `RequestIO` that answers by script and records what it was asked: no network needed."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from poolse._generated.service import ERRORS
from poolse._json.codec import read_json
from poolse._rest.endpoint import Endpoint
from poolse._rest.http_messages import Request, Response
from poolse._rest.request_io import RequestIO
from poolse._rest.settings import Settings
from poolse.cancel import CancelToken
from poolse.errors import NetworkError
from poolse.options import Timeout
from poolse.types import Json

THING: Endpoint[Json] = Endpoint(
    method="POST", path="/v1/things/{thing_id}", read=read_json, idempotency="Idempotency-Key"
)
LOOK: Endpoint[Json] = Endpoint(method="GET", path="/v1/things", read=read_json)


class ScriptedIO:
    """Sender and tokens in one; an outcome of the script is an answer or an error to raise."""

    def __init__(self, *outcomes: Response | NetworkError, tokens: tuple[str | None, ...]) -> None:
        self._outcomes = list(outcomes)
        self._tokens = list(tokens)
        self.sent: list[Request] = []
        self.slept: list[float] = []
        self.rejected: list[str | None] = []

    async def send(
        self, request: Request, timeout: Timeout, cancel: CancelToken | None
    ) -> Response:
        self.sent.append(request)
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, NetworkError):
            raise outcome
        return outcome

    async def sleep(self, seconds: float, cancel: CancelToken | None) -> None:
        self.slept.append(seconds)

    async def get(self, cancel: CancelToken | None) -> str | None:
        return self._tokens[0]

    @property
    def last(self) -> str | None:
        return self._tokens[0]

    def reject(self, token: str | None) -> bool:
        self.rejected.append(token)
        if len(self._tokens) > 1:
            self._tokens.pop(0)
        return len(self._tokens) > 0


def io(script: ScriptedIO, random: float = 1.0) -> RequestIO:
    return RequestIO(script, script, now=lambda: 1_800_000_000.0, random=lambda: random)


def settings(*, max_retries: int = 3, max_retry_after: float = 60.0) -> Settings:
    serial = itertools.count(1)
    return Settings(
        api_url="https://api.test",
        timeout=Timeout(),
        max_retries=max_retries,
        base_backoff=0.25,
        max_backoff=30.0,
        max_retry_after=max_retry_after,
        headers={"User-Agent": "test"},
        new_key=lambda: f"key-{next(serial)}",
        new_id=lambda: f"id-{next(serial)}",
        errors=ERRORS,
    )


def answer(
    status: int, content: bytes = b"{}", headers: Mapping[str, str] | None = None
) -> Response:
    return Response(status, headers or {}, content)


def header(request: Request, name: str) -> str | None:
    return dict(request.headers).get(name)
