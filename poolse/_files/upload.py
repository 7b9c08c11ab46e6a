"""An upload: ask the API where the bytes go, then put them there."""

from __future__ import annotations

from typing import Final, TypeVar

import attrs

from poolse._files.storage import Again, Renew, Transfer, renewed, signed
from poolse._files.transfer_progress import ProgressReporter, Report, SendingBody, Source
from poolse._json.parsing import needed
from poolse._rest.call import call
from poolse._rest.endpoint import Upload
from poolse._rest.messages import Request, Response
from poolse._rest.request_io import RequestIO
from poolse._rest.retry import Progress, Raise, Retry, Return
from poolse._rest.settings import Settings
from poolse.errors import NetworkError, UploadError
from poolse.types import Unset

__all__ = ["File", "upload"]

Row = TypeVar("Row")
Answered = TypeVar("Answered")

ONCE: Final = "it was not tried again, because the body can be read only once"


@attrs.frozen
class File:
    """What is to be uploaded."""

    source: Source = attrs.field(repr=False)
    content_type: str
    name: str | Unset


async def upload(
    hands: RequestIO,
    settings: Settings,
    plan: Upload[Answered, Row],
    file: File,
    report: Report | None = None,
) -> Row:
    """Carry it out. The source is closed afterwards, however that ends.

    Raises:
        ApiError: The API refused.
        UploadError: The storage refused.
        NetworkError: One of the two gave no answer.
        DecodeError: The API named no place.
        UsageError: The source has more or fewer bytes than it said, or cannot be read.
    """
    try:
        meter = ProgressReporter(file.source.size, report)
        # Before anything is sent: what cannot be read needs no place.
        await file.source.start()
        answered = await _ask(hands, settings, plan, file)
        transfer = Transfer(hands, settings, Progress(settings.max_retries), UploadError)
        request = _put(plan, answered)
        async with transfer.watched(request.method) as watch:
            while True:
                match await _attempt(transfer, request, file.source, meter):
                    case Retry(seconds):
                        await watch.retry(seconds)
                        await hands.sender.sleep(seconds, settings.cancel)
                    case Renew():
                        await watch.retry(0.0)
                        answered = await _ask(hands, renewed(settings), plan, file)
                        request = _put(plan, answered)
                    case Raise(error):
                        raise error
                    case Return():
                        await meter.done()
                        return plan.result(answered)
                transfer.progress.retries += 1
    finally:
        file.source.close()


async def _ask(
    hands: RequestIO, settings: Settings, plan: Upload[Answered, Row], file: File
) -> Answered:
    fields = {
        plan.content_type: file.content_type,
        plan.size: file.source.size,
        plan.filename: file.name,
    }
    return await call(hands, settings, plan.endpoint, {}, body=fields)


async def _attempt(
    transfer: Transfer, request: Request, source: Source, meter: ProgressReporter
) -> Return | Again | Raise:
    sending = SendingBody(source, meter)
    outcome = await _sent(transfer, attrs.evolve(request, content=sending), sending)
    cannot = ONCE if sending.begun and not source.repeatable else ""
    verdict = transfer.judge(outcome, cannot)
    if isinstance(verdict, Return) and isinstance(outcome, Response) and not sending.complete:
        return Raise(UploadError(outcome.status, "the storage answered before it had all bytes"))
    if isinstance(verdict, Again) and sending.begun:
        await source.start()
    return verdict


async def _sent(
    transfer: Transfer, request: Request, sending: SendingBody
) -> Response | NetworkError:
    try:
        outcome = await transfer.send(request)
    except Exception:
        sending.check()
        raise
    sending.check()
    return outcome


def _put(plan: Upload[Answered, Row], answered: Answered) -> Request:
    # Before the bytes go out too: nobody could find them without it.
    plan.result(answered)
    target, path = plan.target(answered), plan.target_path
    url, method = needed(target.url, f"{path}.url"), needed(target.method, f"{path}.method")
    # The signature covers these headers and no others, least of all our Authorization.
    return signed(method, url, target.headers)
