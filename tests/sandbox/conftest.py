"""Users of the sandbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from poolse.testing import Sandbox
from tests.sandbox.peers import NewUser, User, users_of


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
