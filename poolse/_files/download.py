"""A download: ask the API where the bytes are, then fetch them, from where the last try ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from poolse._files.download_state import DownloadState
from poolse._files.storage import Again, Renew, Transfer, renewed, signed
from poolse._rest.call import call
from poolse._rest.endpoint import Download
from poolse._rest.messages import Response
from poolse._rest.request_io import RequestIO
from poolse._rest.retry import Progress, Raise, Retry, Return
from poolse._rest.settings import Settings
from poolse._support.header_values import hidden
from poolse.errors import DownloadError, NetworkError

__all__ = ["download"]

Row = TypeVar("Row", contravariant=True)
Answered = TypeVar("Answered")
Kept = TypeVar("Kept")


async def download(
    hands: RequestIO,
    settings: Settings,
    plan: Download[Answered, Row],
    path: Mapping[str, object],
    arrival: DownloadState[Kept],
) -> Kept:
    """Carry it out. Whatever was begun is taken back when it does not end well.

    Raises:
        ApiError: The API refused.
        DownloadError: The storage refused, or the bytes are wrong, too many, or cannot be kept.
        NetworkError: One of the two gave no answer.
        DecodeError: The API did not say where the bytes are.
        UsageError: There is no room for them where they shall go.
    """
    try:
        await arrival.sink.start()
        url = await _ask(hands, settings, plan, path)
        transfer = Transfer(hands, settings, Progress(settings.max_retries), _refusal)
        async with transfer.watched("GET") as watch:
            while True:
                match await _attempt(transfer, url, arrival):
                    case Retry(seconds):
                        await watch.retry(seconds)
                        await hands.sender.sleep(seconds, settings.cancel)
                    case Renew():
                        await watch.retry(0.0)
                        url = await _ask(hands, renewed(settings), plan, path)
                    case Raise(error):
                        raise error
                    case Return():
                        return await arrival.finish()
                transfer.progress.retries += 1
    finally:
        arrival.sink.close()


def _refusal(status: int, message: str) -> DownloadError:
    return DownloadError(message, status)


async def _ask(
    hands: RequestIO, settings: Settings, plan: Download[Answered, Row], path: Mapping[str, object]
) -> str:
    # Whoever has the URL has the file.
    return hidden(plan.url(await call(hands, settings, plan.endpoint, path)))


async def _attempt(
    transfer: Transfer, url: str, arrival: DownloadState[Kept]
) -> Return | Again | Raise:
    request = signed("GET", url, dict(arrival.range_headers()))
    outcome: Response | NetworkError
    try:
        outcome = await transfer.send(request, arrival)
    except Exception:
        arrival.check()
        raise
    arrival.check()
    if isinstance(outcome, Response):
        arrival.ended()
    if arrival.complete:
        return Return(b"")
    if isinstance(outcome, Response):
        outcome = arrival.lost(outcome) or outcome
    return transfer.judge(outcome, arrival.cannot_repeat)
