"""`chat.users` of either client, for tests that hold for both."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest

from poolse import AsyncPoolse, AsyncUsersResource, Poolse, UserProfile, UsersResource

CLIENTS = pytest.mark.parametrize("client", [Poolse, AsyncPoolse])

ADA = UserProfile("Ada", None)


def users_of(resolver: Callable[[str], UserProfile | None], **options: Any) -> UsersResource:
    """Nothing has to be closed: no call is sent."""
    return Poolse(token="t", user_resolver=resolver, **options).users


def async_users_of(resolver: Callable[[str], Any], **options: Any) -> AsyncUsersResource:
    return AsyncPoolse(token="t", user_resolver=resolver, **options).users


def result_of(call: Callable[..., Any], *arguments: object) -> Any:
    """What a method returns, in an event loop of its own if it has to be awaited."""

    async def wait() -> Any:
        found = call(*arguments)
        return await found if inspect.isawaitable(found) else found

    return asyncio.run(wait()) if inspect.iscoroutinefunction(call) else call(*arguments)


@contextmanager
def restless_threads() -> Generator[None]:
    """Threads take turns as often as can be."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
