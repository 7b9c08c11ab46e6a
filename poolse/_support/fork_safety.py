"""What a forked process does with what it inherits.

The child has one thread only: a lock that another one held at that moment would stay held, and
what another one had begun would never end. And connections are the parent's, which goes on with
them.
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
    It is called before anything else runs there. It makes new locks, forgets what is under way and
    lets go of descriptors; it sends nothing, and waits for nobody.
    """
    # In two, because the method as a whole would keep the object alive.
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
