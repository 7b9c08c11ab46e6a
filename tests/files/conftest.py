"""What tests of files share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.files.s3 import S3
from tests.files.scripted_storage import World
from tests.files.sync_and_async_clients import FLAVOURS, GIVEN, Client


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        yield world


@pytest.fixture(params=FLAVOURS)
def client(request: pytest.FixtureRequest, world: World) -> Client:
    """A client of the world, in both flavours."""
    return Client(request.param, world.base)


@pytest.fixture(params=sorted(FLAVOURS + GIVEN))
def any_client(request: pytest.FixtureRequest, world: World) -> Client:
    """The same, also with an httpx client that was passed in."""
    return Client(request.param, world.base)


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """An S3-compatible server."""
    s3 = S3()
    yield s3
    s3.stop()
