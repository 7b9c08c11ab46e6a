"""An upload: ask the API where the bytes go, then put them there."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Mapping
from typing import Final, Generic, Protocol, TypeVar

import attrs

from poolse._checks import checked_text, named
from poolse._core.call import call
from poolse._core.endpoint import Endpoint
from poolse._core.hands import Hands, Outgoing
from poolse._core.judge import Done, Fail, Progress, Wait, judge_loss, judge_storage
from poolse._core.settings import Settings
from poolse.errors import ArgumentTypeError, DecodeError, NetworkError, UsageError
from poolse.types import UNSET, Unset, UploadBody

__all__ = ["File", "Target", "Upload", "file_of", "upload"]

Row = TypeVar("Row")
Answered = TypeVar("Answered")

TEXT: Final = "text/plain; charset=utf-8"
ANYTHING: Final = "application/octet-stream"

# Without the files of this machine, so that a file has the same type wherever it is sent from.
TYPES: Final = mimetypes.MimeTypes(filenames=())


class Target(Protocol):
    """Where the bytes go. Each value may be missing, as anything that a server sends."""

    @property
    def url(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str]: ...


@attrs.frozen(kw_only=True)
class Upload(Generic[Answered, Row]):
    """How an operation that asks for a place leads to an upload."""

    endpoint: Endpoint[Answered]
    target: Callable[[Answered], Target]
    result: Callable[[Answered], Row]
    content_type: str
    """The field of the request that says what the bytes are."""
    size: str
    filename: str


@attrs.frozen
class File:
    """What is to be uploaded."""

    content: bytes = attrs.field(repr=False)
    content_type: str
    name: str | Unset


def file_of(
    body: UploadBody,
    content_type: str | Unset,
    byte_size: int | Unset,
    filename: str | Unset,
) -> File:
    """What the caller gave, with what was left out worked out.

    Raises:
        UsageError: It cannot be uploaded, or is not as long as the caller says.
    """
    content = _bytes_of(body)
    if byte_size is not UNSET and byte_size != len(content):
        raise UsageError(f"byte_size says {byte_size}, but the body has {len(content)} bytes")
    if filename is not UNSET:
        checked_text("filename", filename)
    if content_type is UNSET:
        guessed = TYPES.guess_type(filename)[0] if filename else None
        content_type = guessed or (TEXT if isinstance(body, str) else ANYTHING)
    return File(content, content_type, filename)


def _bytes_of(body: UploadBody) -> bytes:
    if isinstance(body, str):
        return body.encode()
    # Whoever does not check types may give anything.
    if not isinstance(body, bytes | bytearray | memoryview):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ArgumentTypeError(f"body must be bytes or a str, not {named(body)}")
    return bytes(body)


async def upload(hands: Hands, settings: Settings, plan: Upload[Answered, Row], file: File) -> Row:
    """Carry it out.

    Raises:
        ApiError: The API refused.
        UploadError: The storage refused.
        NetworkError: One of the two gave no answer.
        DecodeError: The API named no place.
    """
    fields = {
        plan.content_type: file.content_type,
        plan.size: len(file.content),
        plan.filename: file.name,
    }
    answered = await call(hands, settings, plan.endpoint, {}, body=fields)
    request = _put(plan.target(answered), file)
    progress = Progress(settings.max_retries)
    while True:
        match await _attempt(hands, settings, request, progress):
            case Wait(seconds):
                await hands.sender.sleep(seconds, settings.cancel)
                progress.retries += 1
            case Fail(error):
                raise error
            case _:
                return plan.result(answered)


async def _attempt(
    hands: Hands, settings: Settings, request: Outgoing, progress: Progress
) -> Done | Wait | Fail:
    try:
        answer = await hands.sender.send(request, settings.timeout, settings.cancel)
    except NetworkError as error:
        return judge_loss(error, settings, progress, hands.random())
    return judge_storage(answer, settings, progress, hands.now(), hands.random())


def _put(target: Target, file: File) -> Outgoing:
    # The signature covers these headers and no others, least of all our Authorization.
    url, method, headers = target.url, target.method, target.headers
    if not (url and method):
        raise DecodeError("the answer does not say where to put the bytes", "$")
    return Outgoing(method.upper(), url, list((headers or {}).items()), file.content)
