"""What is logged of a request, by whichever library carries it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import httpx
import httpx2
import pytest

from tests.files.scripted_storage import SIGNATURE, World, refuse
from tests.files.sync_and_async_clients import FLAVOURS, GIVEN, Client
from tests.http.raw_server import RawServer, answer_with
from tests.http.sync_and_async_senders import Once, get
from tests.secret_guard import Listener, text_of

LIBRARIES = (
    "poolse",
    "httpx",
    "httpx2",
    "httpcore",
    "httpcore2",
    "aiohttp",
    "websockets",
    "websocket",
)


class Log(logging.Handler):
    """Everything that can be heard."""

    def __init__(self) -> None:
        super().__init__(1)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text += text_of(record) + "\n"


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    for name in LIBRARIES:
        monkeypatch.setattr(logging.getLogger(name), "level", 1)
    handler = Log()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


def both_ways(chat: Any) -> Any:
    chat.attachments.upload(b"bytes", filename="x.txt")
    return chat.attachments.one("a-1").download()


async def both_ways_async(chat: Any) -> Any:
    await chat.attachments.upload(b"bytes", filename="x.txt")
    return await chat.attachments.one("a-1").download()


@pytest.mark.parametrize("flavour", FLAVOURS + GIVEN)
def test_no_signed_url_is_logged(flavour: str, log: Log) -> None:
    with World() as world:
        world.content = b"bytes"
        client = Client(flavour, world.base)
        assert client(both_ways_async if client.is_async else both_ways) == b"bytes"
    assert SIGNATURE not in log.text
    assert "Signature" not in log.text
    assert "a-token" not in log.text
    if flavour in GIVEN:
        assert f'HTTP Request: GET {world.base}/bucket/a-2?... "HTTP/1.1 200 OK"' in log.text


@pytest.mark.parametrize("flavour", FLAVOURS + GIVEN)
def test_no_redirect_is_logged_with_its_query(flavour: str, log: Log) -> None:
    again = refuse("302 Found", fields=f"Location: http://x/?{SIGNATURE}\r\n")
    with World(again) as world, pytest.raises(Exception, match="redirect"):
        Client(flavour, world.base)(lambda chat: chat.attachments.one("a-1").download())
    assert "Signature" not in log.text


def test_the_token_is_not_logged(send_any: Once, log: Log) -> None:
    fields = "X-Echo: Bearer s3cret\r\n"
    with RawServer(answer_with(b"{}", fields=fields)) as server:
        send_any(get(f"{server.base}/v1/me", [("Authorization", "Bearer s3cret")]))
    assert "s3cret" not in log.text


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_the_callers_own_requests_are_logged_as_ever(library: Any, log: Log) -> None:
    with RawServer(answer_with(b"{}", fields="X-A: b\r\n")) as server, library.Client() as client:
        client.get(f"{server.base}/own?query=yes")
    assert f"{server.base}/own?query=yes" in log.text
    assert "(b'X-A', b'b')" in log.text


def test_a_listener_hears_what_tests_plant() -> None:
    listener, logger = Listener(), logging.getLogger("apart")
    logger.propagate = False
    logger.setLevel(1)
    logger.addHandler(listener)
    try:
        raise ValueError("Bearer abc")
    except ValueError:
        logger.exception("%s", "fine")
    logger.debug("GET %s", "http://h/x?X-Amz-Signature=abc")
    logger.debug("fine", extra={"url": "ws://h/?token=abc"})
    logger.debug("pk_live_abc")
    logger.debug("s3cret")
    logger.debug("eyJhbGci.eyJzdWIi.c2ln")
    assert len(listener.found) == 6
    logger.debug("GET http://h/x?... Bearer")
    assert len(listener.found) == 6
