"""Renew locks and connections in forked processes.

The child has one thread only: a lock that another thread held at that moment would stay locked,
and what another thread had begun would never end. Connections belong to the parent, which still
uses them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from types import MethodType
from typing import Any, cast
from weakref import WeakKeyDictionary

__all__ = ["renew_after_fork"]

_alive = WeakKeyDictionary[Any, list[Callable[[Any], None]]]()


def renew_after_fork(renew: Callable[[], None]) -> None:
    """Have a method called in every child of this process, for as long as its object lives.

    An object may have several, which are called in the order in which they were given.
    It is called before anything else runs there. It creates new locks, forgets what is under way
    and closes descriptors; it sends nothing and never waits.
    """
    # Object and function apart, because a bound method would keep the object alive.
    method = cast("MethodType", renew)
    renewals = _alive.setdefault(method.__self__, [])
    # A class and the one that it is derived from may both ask for the same method.
    if method.__func__ not in renewals:
        renewals.append(method.__func__)


def _renew_all() -> None:
    for owner, renewals in list(_alive.items()):
        for renew in renewals:
            renew(owner)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
