"""poolse: the Python client of the poolse chat backend, sync and async.

from poolse import Poolse

with Poolse(get_token=mint) as chat:
    print(chat.me.show())
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from poolse import errors
from poolse._generated.names import NAMES
from poolse._version import version
from poolse.errors import *
from poolse.types import UNSET, Unset

if TYPE_CHECKING:
    from poolse._core.addresses import POOLSE_API_URL
    from poolse._core.captures import CapturedCall
    from poolse._core.codec import missing, to_dict
    from poolse._follow.actions import Position
    from poolse._follow.checkpoints import (
        AsyncCheckpoint,
        Checkpoint,
        MemoryCheckpoint,
        SQLiteCheckpoint,
    )
    from poolse._follow.choices import Gap, Last
    from poolse._generated import public
    from poolse._generated.aio_follow import AsyncDelivery, AsyncFeed
    from poolse._generated.follow import Delivery, Feed
    from poolse._generated.public import *
    from poolse._realtime.events import RealtimeStatus, UnknownEvent
    from poolse.aio_client import AsyncPoolse, AsyncPoolseBackend
    from poolse.aio_minting import AsyncTokenProvider
    from poolse.cancel import CancelToken
    from poolse.client import Poolse, PoolseBackend
    from poolse.convert import from_dict
    from poolse.hooks import Hooks, RealtimeInfo, RequestInfo, ResponseInfo, RetryInfo
    from poolse.minting import TokenProvider
    from poolse.options import CallOptions, Timeout
    from poolse.profiles import AsyncUsersResource, UserProfile, UsersResource
    from poolse.progress import ProgressBar, progress_bar
    from poolse.stats import CallStats, FollowStats, PoolStats, RealtimeStats, Stats

__version__ = version

# Loaded when first used: importing poolse costs no third-party import.
_LAZY = {
    "AsyncCheckpoint": "poolse._follow.checkpoints",
    "AsyncDelivery": "poolse._generated.aio_follow",
    "AsyncFeed": "poolse._generated.aio_follow",
    "AsyncPoolse": "poolse.aio_client",
    "AsyncPoolseBackend": "poolse.aio_client",
    "AsyncTokenProvider": "poolse.aio_minting",
    "AsyncUsersResource": "poolse.profiles",
    "CallOptions": "poolse.options",
    "CancelToken": "poolse.cancel",
    "CapturedCall": "poolse._core.captures",
    "Checkpoint": "poolse._follow.checkpoints",
    "Delivery": "poolse._generated.follow",
    "Feed": "poolse._generated.follow",
    "Gap": "poolse._follow.choices",
    "Last": "poolse._follow.choices",
    "MemoryCheckpoint": "poolse._follow.checkpoints",
    "POOLSE_API_URL": "poolse._core.addresses",
    "Poolse": "poolse.client",
    "PoolseBackend": "poolse.client",
    "ProgressBar": "poolse.progress",
    "Position": "poolse._follow.actions",
    "RealtimeStatus": "poolse._realtime.events",
    "SQLiteCheckpoint": "poolse._follow.checkpoints",
    "Timeout": "poolse.options",
    "TokenProvider": "poolse.minting",
    "UnknownEvent": "poolse._realtime.events",
    "UserProfile": "poolse.profiles",
    "UsersResource": "poolse.profiles",
    "from_dict": "poolse.convert",
    "missing": "poolse._core.codec",
    "progress_bar": "poolse.progress",
    "to_dict": "poolse._core.codec",
    "Hooks": "poolse.hooks",
    "RealtimeInfo": "poolse.hooks",
    "RequestInfo": "poolse.hooks",
    "ResponseInfo": "poolse.hooks",
    "RetryInfo": "poolse.hooks",
    "CallStats": "poolse.stats",
    "FollowStats": "poolse.stats",
    "PoolStats": "poolse.stats",
    "RealtimeStats": "poolse.stats",
    "Stats": "poolse.stats",
    **NAMES,
}

__all__: list[str] = [
    "POOLSE_API_URL",
    "UNSET",
    "AsyncCheckpoint",
    "AsyncDelivery",
    "AsyncFeed",
    "AsyncPoolse",
    "AsyncPoolseBackend",
    "AsyncTokenProvider",
    "AsyncUsersResource",
    "CallOptions",
    "CallStats",
    "CancelToken",
    "CapturedCall",
    "Checkpoint",
    "Delivery",
    "Feed",
    "FollowStats",
    "Gap",
    "Hooks",
    "Last",
    "MemoryCheckpoint",
    "PoolStats",
    "Poolse",
    "PoolseBackend",
    "Position",
    "ProgressBar",
    "RealtimeInfo",
    "RealtimeStats",
    "RealtimeStatus",
    "RequestInfo",
    "ResponseInfo",
    "RetryInfo",
    "SQLiteCheckpoint",
    "Stats",
    "Timeout",
    "TokenProvider",
    "UnknownEvent",
    "Unset",
    "UserProfile",
    "UsersResource",
    "from_dict",
    "missing",
    "progress_bar",
    "to_dict",
    "version",
]
__all__ += errors.__all__
if TYPE_CHECKING:
    __all__ += public.__all__
else:
    __all__ += list(NAMES)


def __getattr__(name: str) -> object:
    try:
        module = _LAZY[name]
    except KeyError:
        raise AttributeError(f"module 'poolse' has no attribute {name!r}") from None
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
