"""Signed URLs and tokens are not among the local variables of any error of a transfer."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from poolse import CallOptions, Cancelled, CancelToken, Timeout
from tests.files.scripted_storage import SIGNATURE, Step, World, refuse
from tests.files.sync_and_async_clients import FLAVOURS, GIVEN, Client
from tests.http.raw_server import Connection, ReceivedRequest

ALL = pytest.mark.parametrize("flavour", FLAVOURS + GIVEN)

SECRETS = (SIGNATURE, SIGNATURE.partition("=")[2], "s3cret")


def shown_by(error: BaseException) -> str:
    """All that a tool could print, the test's own frames left out. Suppressed causes are in it."""
    found: list[str] = []
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop()
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        stack = traceback.TracebackException.from_exception(cause, capture_locals=True).stack
        found += [str(cause), repr(cause)]
        found += [str(frame.locals) for frame in stack if "/tests/" not in frame.filename]
        waiting += [cause.__cause__, cause.__context__]
    return "\n".join(found)


def raised(call: Callable[[], object]) -> BaseException:
    try:
        call()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def hang(_world: World, connection: Connection, _request: ReceivedRequest) -> None:
    connection.hang()


def hang_within(_world: World, connection: Connection, _request: ReceivedRequest) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    connection.hang()


def drop(_world: World, connection: Connection, _request: ReceivedRequest) -> None:
    connection.drop()


def download(chat: Any, options: CallOptions) -> Any:
    return chat.attachments.one("a-1").download(options=options)


def upload(chat: Any, options: CallOptions) -> Any:
    return chat.attachments.upload(b"x" * 3_000_000, filename="x", options=options)


def failing_body(chat: Any, options: CallOptions) -> Any:
    def body() -> Iterator[bytes]:
        yield b"x" * 10
        raise ZeroDivisionError

    return chat.attachments.upload(body(), byte_size=100, options=options)


def failing_progress(chat: Any, options: CallOptions) -> Any:
    def report(loaded: int, total: int) -> None:
        raise ZeroDivisionError

    return chat.attachments.one("a-1").download(on_progress=report, options=options)


def give_up(world: World, token: CancelToken) -> None:
    """Cancel as soon as the storage has been asked."""
    while not world.storage and not token.cancelled:
        threading.Event().wait(0.005)
    token.cancel()


@ALL
@pytest.mark.parametrize("do", [download, upload, failing_body, failing_progress])
@pytest.mark.parametrize(
    ("step", "timeout"),
    [
        (refuse("403 Forbidden", b"<Code>AccessDenied</Code>"), Timeout()),
        (refuse("302 Found", fields=f"Location: http://x/?{SIGNATURE}\r\n"), Timeout()),
        (drop, Timeout()),
        (hang, Timeout(0.3)),
        (hang, Timeout(read=0.3, write=0.3)),
        (hang_within, Timeout(0.3)),
        (hang_within, Timeout(read=0.3, write=0.3)),
    ],
    ids=["refused", "redirected", "dropped", "total", "silence", "total within", "silence within"],
)
def test_no_error_of_a_transfer_shows_more_than_it_should(
    flavour: str, do: Any, step: Step, timeout: Timeout
) -> None:
    with World(step) as world:
        client = Client(flavour, world.base, token="s3cret-token", max_retries=0)
        error = raised(lambda: client(lambda chat: do(chat, CallOptions(timeout=timeout))))
    for secret in SECRETS:
        assert secret not in shown_by(error)


# With an http_client, a sync call is cancelled between its phases only.
@pytest.mark.parametrize("flavour", [*FLAVOURS, "async given"])
@pytest.mark.parametrize("do", [download, upload])
def test_nor_does_a_cancellation(flavour: str, do: Any) -> None:
    token = CancelToken()
    with World(hang) as world:
        canceller = threading.Thread(target=give_up, args=(world, token))
        canceller.start()
        client = Client(flavour, world.base, token="s3cret-token", max_retries=0)
        error = raised(lambda: client(lambda chat: do(chat, CallOptions(cancel=token))))
        canceller.join()
    assert isinstance(error, Cancelled)
    for secret in SECRETS:
        assert secret not in shown_by(error)


# In a task, an interrupt ends the event loop itself.
@pytest.mark.parametrize(
    ("flavour", "kind"),
    [("async", TimeoutError), ("async given", TimeoutError)]
    + [
        (name, kind)
        for name in ("sync", "sync given")
        for kind in (TimeoutError, KeyboardInterrupt)
    ],
)
def test_nor_does_what_comes_from_elsewhere(flavour: str, kind: type[BaseException]) -> None:
    def fails(chat: Any) -> Any:
        def body() -> Iterator[bytes]:
            yield b"x" * 10
            raise kind

        return chat.attachments.upload(body(), byte_size=100)

    with World() as world:
        client = Client(flavour, world.base, token="s3cret-token", max_retries=0)
        error = raised(lambda: client(fails))
    assert isinstance(error, kind)
    for secret in SECRETS:
        assert secret not in shown_by(error)
