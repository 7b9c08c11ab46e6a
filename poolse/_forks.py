"""What a forked process does with what it inherits.

The child has one thread only: a lock that another one held at that moment would stay held, and
what another one had begun would never end. And connections are the parent's, which goes on with
them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from weakref import WeakMethod

__all__ = ["renew_after_fork"]

_alive: set[WeakMethod[Callable[[], None]]] = set()


def renew_after_fork(renew: Callable[[], None]) -> None:
    """Have a method called in every child of this process, for as long as its object lives.

    It is called before anything else runs there. It makes new locks, forgets what is under way and
    lets go of descriptors; it sends nothing, and waits for nobody.
    """
    _alive.add(WeakMethod(renew, _alive.discard))


def _renew_all() -> None:
    for known in list(_alive):
        renew = known()
        if renew is not None:
            renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
