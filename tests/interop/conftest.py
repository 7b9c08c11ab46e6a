"""The packages of the JavaScript client, and a user who talks to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from poolse.testing import Sandbox
from tests.interop.npm_packages import install
from tests.interop.official import HERE
from tests.sandbox.raw_clients import User, users_of


@pytest.fixture(scope="session")
def packages() -> None:
    """The client and its WebSocket, installed."""
    install(HERE)


@pytest.fixture
def alice(sandbox: Sandbox) -> Iterator[User]:
    """A user with a raw client."""
    with users_of(sandbox) as new_user:
        yield new_user("alice")
