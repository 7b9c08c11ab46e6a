"""Users of the sandbox."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import httpx
import pytest

from poolse.testing import Sandbox
from tests.sandbox.control_client import Control, control_of
from tests.sandbox.raw_clients import NewUser, User, users_of


@pytest.fixture(autouse=True)
def own_clients_may_log() -> Iterator[None]:
    """These tests talk to the sandbox with clients of their own, which log the URLs they use."""
    loggers = [logging.getLogger(name) for name in ("httpx", "httpcore")]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    yield
    for logger in loggers:
        logger.setLevel(logging.NOTSET)


@pytest.fixture
def new_user(sandbox: Sandbox) -> Iterator[NewUser]:
    """Makes users of the sandbox by name."""
    with users_of(sandbox) as new_user:
        yield new_user


@pytest.fixture
def alice(new_user: NewUser) -> User:
    """A user."""
    return new_user("alice")


@pytest.fixture
def bob(new_user: NewUser) -> User:
    """Another one."""
    return new_user("bob")


@pytest.fixture
def wire() -> Iterator[httpx.Client]:
    """A client without a token, as the storage wants it."""
    with httpx.Client(trust_env=False) as client:
        yield client


@pytest.fixture
def control(sandbox: Sandbox) -> Iterator[Control]:
    """The control of the sandbox over HTTP."""
    with control_of(sandbox) as control:
        yield control
