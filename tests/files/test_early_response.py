"""A storage that answers before it has the whole body: its answer is told, not a broken pipe."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest
import trustme

from poolse import CallOptions, UploadError
from tests.files.scripted_storage import Step, World
from tests.files.sync_and_async_clients import FLAVOURS, GIVEN, Client
from tests.http.conftest import context_for
from tests.http.raw_server import Connection, ReceivedRequest

BIG = 100_000_000
BODY = b"<Error><Code>EntityTooLarge</Code></Error>" + b" " * 5_000
ONCE = CallOptions(max_retries=0)


def early(then: str) -> Step:
    """Answer after a few bytes, and then close, hang, or read on."""

    def step(_world: World, connection: Connection, request: ReceivedRequest) -> None:
        connection.take(70_000)
        connection.answer(BODY, "403 Forbidden")
        if then == "hang":
            connection.hang()
        if then == "read":
            connection.take(int(request.headers["content-length"]) - 70_000)

    return step


@pytest.fixture(params=["http", "https"])
def early_world(request: pytest.FixtureRequest) -> Iterator[tuple[World, ssl.SSLContext | None]]:
    if request.param == "http":
        with World() as world:
            yield world, None
        return
    authority = trustme.CA()
    context = ssl.create_default_context()
    context.load_verify_locations(cadata=authority.cert_pem.bytes().decode())
    with World(context=context_for(authority, "127.0.0.1")) as world:
        yield world, context


@pytest.mark.parametrize("then", ["close", "hang", "read"])
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_the_response_is_reported(
    early_world: tuple[World, ssl.SSLContext | None], flavour: str, then: str
) -> None:
    world, context = early_world
    world.steps = [early(then)]
    client = Client(flavour, world.base, ssl_context=context)
    with pytest.raises(UploadError, match="returned HTTP 403: EntityTooLarge") as caught:
        client(lambda chat: chat.attachments.upload(bytes(BIG), options=ONCE))
    assert caught.value.status == 403


@pytest.mark.parametrize("flavour", GIVEN)
def test_the_response_is_reported_through_a_client_that_was_passed_in(
    world: World, flavour: str
) -> None:
    world.steps = [early("close")]
    client = Client(flavour, world.base)
    with pytest.raises(UploadError, match="returned HTTP 403: EntityTooLarge"):
        client(lambda chat: chat.attachments.upload(bytes(BIG), options=ONCE))
