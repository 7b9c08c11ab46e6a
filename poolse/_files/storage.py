"""What the storage's answer, or its absence, means for the bytes of a file.

The storage lies behind signed URLs. It knows no tokens of ours, and does not speak our JSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

import attrs

from poolse._network.urls import check_place
from poolse._observe.observers import STORAGE, RequestObserver
from poolse._rest.messages import Request, Response, ResponseSink
from poolse._rest.request_io import RequestIO
from poolse._rest.retry import Progress, Raise, Retry, Return, is_transient, retry_delay
from poolse._rest.settings import Settings
from poolse._support.argument_checks import check_header
from poolse._support.backoff import parse_retry_after
from poolse._support.header_values import hidden, hidden_items
from poolse.errors import (
    DecodeError,
    DownloadError,
    NetworkError,
    PoolseError,
    UploadError,
    UsageError,
)
from poolse.options import for_files
from poolse.types import UNSET

__all__ = ["Again", "Renew", "Transfer", "renewed", "signed"]

CODE: Final = re.compile(rb"<Code>([A-Za-z]{1,64})</Code>")
EXPIRED: Final = re.compile(
    rb"has expired|ExpiredToken|not valid in the specified time frame", re.IGNORECASE
)
"""How S3, Google's and Microsoft's say that a signed URL is too old."""
LONGEST_ERROR: Final = 4096
METHODS: Final = ("GET", "PUT", "POST")

REQUEST_IDS: Final = ("x-request-id", "x-amz-request-id")


@attrs.frozen
class Renew:
    """Ask for a fresh URL, then send again."""


Again = Retry | Renew


@attrs.frozen
class Transfer:
    """The rules by which the attempts of one upload or download are judged."""

    hands: RequestIO
    settings: Settings
    progress: Progress
    refusal: Callable[[int, str], UploadError | DownloadError]
    """Makes the error of a status and words."""

    def watched(self, method: str) -> RequestObserver:
        """Let it be seen by those who watch calls."""
        return RequestObserver(self.hands.observers, method, STORAGE, self.progress)

    async def send(
        self, request: Request, intake: ResponseSink | None = None
    ) -> Response | NetworkError:
        """One attempt, within the limits for files."""
        progress, settings = self.progress, self.settings
        progress.attempts += 1
        progress.response = progress.network_error = None
        try:
            progress.response = await self.hands.sender.send(
                request, for_files(settings.timeout), settings.cancel, intake
            )
        except NetworkError as error:
            progress.network_error = error
            return error
        return progress.response

    def judge(self, outcome: Response | NetworkError, cannot_repeat: str) -> Return | Again | Raise:
        """The verdict. `cannot_repeat` says why there cannot be another attempt, or is empty."""
        if isinstance(outcome, Response) and 200 <= outcome.status < 300:
            return Return(b"")
        again = self._again(outcome)
        error = outcome if isinstance(outcome, NetworkError) else self._refused(outcome)
        if again is not None and cannot_repeat:
            error.message += f"; {cannot_repeat}"
        return again if again is not None and not cannot_repeat else Raise(error)

    def _again(self, outcome: Response | NetworkError) -> Again | None:
        asked = 0.0
        if isinstance(outcome, Response):
            if _is_expired(outcome):
                return Renew() if self.progress.retries < self.progress.budget else None
            asked = parse_retry_after(outcome.headers.get("retry-after"), self.hands.now())
            if not is_transient(outcome.status) or asked > self.settings.max_retry_after:
                return None
        return retry_delay(self.settings, self.progress, self.hands.random(), at_least=asked)

    def _refused(self, answer: Response) -> PoolseError:
        """Most storages say why in XML, with a `Code`."""
        code = CODE.search(answer.content[:LONGEST_ERROR])
        why = f": {code[1].decode()}" if code else ""
        if 300 <= answer.status < 400:
            why = ", a redirect, which is not followed: the URL is signed for one place"
        error = self.refusal(answer.status, f"the storage answered {answer.status}{why}")
        ids = (answer.headers.get(name) for name in REQUEST_IDS)
        error.request_id = next(filter(None, ids), None)
        return error


def signed(method: str, url: str, headers: Mapping[str, str] | None = None) -> Request:
    """A request to the storage, as the API has signed it: without any header of ours.

    Raises:
        DecodeError: Nothing can be sent to that place, or with these headers.
    """
    # Whoever has the URL has the file.
    url, headers = hidden(url), hidden_items(headers or {})
    try:
        check_place(url)
        pairs = [(str(name), check_header(name, value)) for name, value in headers.items()]
        if method.upper() not in METHODS or "transfer-encoding" in map(str.lower, headers):
            raise UsageError("its method, or one of its headers, is none for a file")
    except UsageError as error:
        why = f"the answer names a place for the bytes that cannot be reached: {error}"
        raise DecodeError(why) from None
    return Request.to(method.upper(), url, pairs, None, bare=True)


def renewed(settings: Settings) -> Settings:
    """For asking once more: with a key of its own, or the server would repeat its old answer."""
    key = None if settings.idempotency_key is None else UNSET
    return attrs.evolve(settings, idempotency_key=key)


def _is_expired(answer: Response) -> bool:
    return answer.status in (400, 403) and bool(EXPIRED.search(answer.content[:LONGEST_ERROR]))
