"""Attempts to transfer a file, and what the response of the storage service means for it.

Storage lies behind signed URLs. It knows no tokens of ours, and does not speak our JSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

import attrs

from poolse._files.transfer_progress import ErrorLatch
from poolse._network.urls import check_place
from poolse._observe.observers import STORAGE, RequestObserver
from poolse._rest.http_messages import Request, Response
from poolse._rest.request_io import RequestIO
from poolse._rest.retry import Progress, Retry, is_transient, retry_delay
from poolse._rest.settings import Settings
from poolse._support.argument_checks import check_header
from poolse._support.backoff import parse_retry_after
from poolse._support.secret import hidden, hidden_items
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

__all__ = ["Renew", "Transfer", "renewed", "signed"]

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
    """Ask for a new URL, then send again."""


class Transfer:
    """The attempts of one upload or download."""

    def __init__(
        self,
        io: RequestIO,
        settings: Settings,
        method: str,
        refusal: Callable[[int, str], UploadError | DownloadError],
    ) -> None:
        """`refusal` creates the error for a status and a message."""
        self._io = io
        self._settings = settings
        self._refusal = refusal
        self._progress = Progress(settings.max_retries)
        self.observer: Final = RequestObserver(io.observers, method, STORAGE, self._progress)
        """Entered for as long as there are attempts."""

    async def send(self, request: Request, latch: ErrorLatch) -> Response | NetworkError:
        """Make one attempt, within the limits for files.

        Raises:
            Exception: Whatever the latch remembers.
        """
        progress, settings = self._progress, self._settings
        progress.attempts += 1
        progress.response = progress.network_error = None
        outcome: Response | NetworkError
        try:
            outcome = progress.response = await self._io.sender.send(
                request, for_files(settings.timeout), settings.cancel
            )
        except NetworkError as error:
            outcome = progress.network_error = error
        except Exception:
            latch.check()
            raise
        latch.check()
        return outcome

    def decide(
        self, outcome: Response | NetworkError, cannot_repeat: str = ""
    ) -> Retry | Renew | None:
        """Return what comes after an attempt: None if it worked.

        Args:
            outcome: Of the attempt.
            cannot_repeat: Why there cannot be another attempt, or empty.

        Raises:
            PoolseError: It failed, and there is no other attempt.
        """
        if isinstance(outcome, Response) and 200 <= outcome.status < 300:
            return None
        retry = self._retry(outcome)
        if retry is not None and not cannot_repeat:
            return retry
        error = outcome if isinstance(outcome, NetworkError) else self._refused(outcome)
        if retry is not None:
            error.message += f"; {cannot_repeat}"
        raise error

    async def wait(self, retry: Retry | Renew) -> bool:
        """Wait before the next attempt. Return whether it needs a new URL."""
        self._progress.retries += 1
        if isinstance(retry, Renew):
            await self.observer.retry(0.0)
            return True
        await self.observer.retry(retry.seconds)
        await self._io.sender.sleep(retry.seconds, self._settings.cancel)
        return False

    def _retry(self, outcome: Response | NetworkError) -> Retry | Renew | None:
        at_least = 0.0
        if isinstance(outcome, Response):
            if _is_expired(outcome):
                return Renew() if self._progress.retries < self._progress.budget else None
            at_least = parse_retry_after(outcome.headers.get("retry-after"), self._io.now())
            if not is_transient(outcome.status) or at_least > self._settings.max_retry_after:
                return None
        return retry_delay(self._settings, self._progress, self._io.random(), at_least=at_least)

    def _refused(self, response: Response) -> PoolseError:
        """Return the error of a refusal. Most services give the reason in XML, with a `Code`."""
        code = CODE.search(response.content[:LONGEST_ERROR])
        why = f": {code[1].decode()}" if code else ""
        if 300 <= response.status < 400:
            why = ", a redirect, which is not followed: a signed URL is valid for one address"
        error = self._refusal(
            response.status, f"the object storage returned HTTP {response.status}{why}"
        )
        ids = (response.headers.get(name) for name in REQUEST_IDS)
        error.request_id = next(filter(None, ids), None)
        return error


def signed(method: str, url: str, headers: Mapping[str, str]) -> Request:
    """Return a request to storage, as the API has signed it: without any header of ours.

    Raises:
        DecodeError: Nothing can be sent to that place, or with these headers.
    """
    # The URL alone grants access to the file.
    url, headers = hidden(url), hidden_items(headers)
    try:
        check_place(url)
        pairs = [(str(name), check_header(name, value)) for name, value in headers.items()]
        if method.upper() not in METHODS or "transfer-encoding" in map(str.lower, headers):
            raise UsageError("its method, or one of its headers, is not allowed")
    except UsageError as error:
        why = f"the response has an invalid request to the object storage: {error}"
        raise DecodeError(why) from None
    return Request.to(method.upper(), url, pairs, None, bare=True)


def renewed(settings: Settings) -> Settings:
    """Return the settings to ask again with: another key, or the server repeats its response."""
    key = None if settings.idempotency_key is None else UNSET
    return attrs.evolve(settings, idempotency_key=key)


def _is_expired(response: Response) -> bool:
    return response.status in (400, 403) and bool(EXPIRED.search(response.content[:LONGEST_ERROR]))
