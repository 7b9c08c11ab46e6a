"""poolse: the Python client of the poolse chat backend, sync and async.

from poolse import Poolse

with Poolse(get_token=mint) as chat:
    print(chat.me.show())
"""

from __future__ import annotations

import importlib as _importlib
import typing as _typing

from poolse import errors
from poolse._generated.names import NAMES as _NAMES
from poolse._support.version import version
from poolse.errors import *
from poolse.types import UNSET, Unset

if _typing.TYPE_CHECKING:
    from poolse._auth.async_token_provider import AsyncTokenProvider
    from poolse._auth.token_provider import TokenProvider
    from poolse._client.from_dict import from_dict
    from poolse._follow.checkpoints import (
        AsyncCheckpoint,
        Checkpoint,
        MemoryCheckpoint,
        SQLiteCheckpoint,
    )
    from poolse._follow.positions import After, Gap, Last, Position
    from poolse._generated import public
    from poolse._generated.async_resources import AsyncDelivery, AsyncFeed
    from poolse._generated.public import *
    from poolse._generated.resources import Delivery, Feed
    from poolse._json.codec import missing, to_dict
    from poolse._json.models import Model, Page, Row
    from poolse._network.urls import POOLSE_API_URL
    from poolse._observe.capture import CapturedCall
    from poolse._realtime.async_public import AsyncEvents
    from poolse._realtime.events import RealtimeStatus, UnknownEvent
    from poolse._realtime.push import Payload
    from poolse._realtime.sync_public import Events
    from poolse.async_client import AsyncHttpClient, AsyncPoolse, AsyncPoolseBackend
    from poolse.cancel import CancelToken
    from poolse.client import HttpClient, Poolse, PoolseBackend
    from poolse.errors import TimeoutPhase
    from poolse.hooks import (
        Hooks,
        RealtimeEvent,
        RealtimeInfo,
        RequestInfo,
        ResponseInfo,
        RetryInfo,
    )
    from poolse.options import CallOptions, Timeout
    from poolse.profiles import (
        AsyncResolver,
        AsyncUsersResource,
        Resolver,
        UserProfile,
        UsersResource,
    )
    from poolse.progress import ProgressBar, progress_bar
    from poolse.rest import AsyncRest, Rest
    from poolse.stats import CallStats, FollowStats, PoolStats, RealtimeStats, Stats
    from poolse.types import AsyncGetToken, GetToken

__version__ = version

# Loaded when first used: importing poolse costs no third-party import.
_LAZY = {
    "AsyncRest": "poolse.rest",
    "Rest": "poolse.rest",
    "After": "poolse._follow.positions",
    "AsyncEvents": "poolse._realtime.async_public",
    "AsyncGetToken": "poolse.types",
    "AsyncHttpClient": "poolse.async_client",
    "AsyncResolver": "poolse.profiles",
    "Events": "poolse._realtime.sync_public",
    "GetToken": "poolse.types",
    "HttpClient": "poolse.client",
    "Page": "poolse._json.models",
    "Payload": "poolse._realtime.push",
    "RealtimeEvent": "poolse.hooks",
    "Resolver": "poolse.profiles",
    "Model": "poolse._json.models",
    "Row": "poolse._json.models",
    "TimeoutPhase": "poolse.errors",
    "AsyncCheckpoint": "poolse._follow.checkpoints",
    "AsyncDelivery": "poolse._generated.async_resources",
    "AsyncFeed": "poolse._generated.async_resources",
    "AsyncPoolse": "poolse.async_client",
    "AsyncPoolseBackend": "poolse.async_client",
    "AsyncTokenProvider": "poolse._auth.async_token_provider",
    "AsyncUsersResource": "poolse.profiles",
    "CallOptions": "poolse.options",
    "CancelToken": "poolse.cancel",
    "CapturedCall": "poolse._observe.capture",
    "Checkpoint": "poolse._follow.checkpoints",
    "Delivery": "poolse._generated.resources",
    "Feed": "poolse._generated.resources",
    "Gap": "poolse._follow.positions",
    "Last": "poolse._follow.positions",
    "MemoryCheckpoint": "poolse._follow.checkpoints",
    "POOLSE_API_URL": "poolse._network.urls",
    "Poolse": "poolse.client",
    "PoolseBackend": "poolse.client",
    "ProgressBar": "poolse.progress",
    "Position": "poolse._follow.positions",
    "RealtimeStatus": "poolse._realtime.events",
    "SQLiteCheckpoint": "poolse._follow.checkpoints",
    "Timeout": "poolse.options",
    "TokenProvider": "poolse._auth.token_provider",
    "UnknownEvent": "poolse._realtime.events",
    "UserProfile": "poolse.profiles",
    "UsersResource": "poolse.profiles",
    "from_dict": "poolse._client.from_dict",
    "missing": "poolse._json.codec",
    "progress_bar": "poolse.progress",
    "to_dict": "poolse._json.codec",
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
    **_NAMES,
}

__all__: list[str] = [
    "POOLSE_API_URL",
    "UNSET",
    "After",
    "AsyncCheckpoint",
    "AsyncDelivery",
    "AsyncEvents",
    "AsyncFeed",
    "AsyncGetToken",
    "AsyncHttpClient",
    "AsyncPoolse",
    "AsyncPoolseBackend",
    "AsyncResolver",
    "AsyncRest",
    "AsyncTokenProvider",
    "AsyncUsersResource",
    "CallOptions",
    "CallStats",
    "CancelToken",
    "CapturedCall",
    "Checkpoint",
    "Delivery",
    "Events",
    "Feed",
    "FollowStats",
    "Gap",
    "GetToken",
    "Hooks",
    "HttpClient",
    "Last",
    "MemoryCheckpoint",
    "Model",
    "Page",
    "Payload",
    "PoolStats",
    "Poolse",
    "PoolseBackend",
    "Position",
    "ProgressBar",
    "RealtimeEvent",
    "RealtimeInfo",
    "RealtimeStats",
    "RealtimeStatus",
    "RequestInfo",
    "Resolver",
    "ResponseInfo",
    "Rest",
    "RetryInfo",
    "Row",
    "SQLiteCheckpoint",
    "Stats",
    "Timeout",
    "TimeoutPhase",
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
if _typing.TYPE_CHECKING:
    __all__ += public.__all__
else:
    __all__ += list(_NAMES)


# Hidden from type checkers, which would take every name for one of ours.
if not _typing.TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        try:
            module = _LAZY[name]
        except KeyError:
            raise AttributeError(f"module 'poolse' has no attribute {name!r}") from None
        value = getattr(_importlib.import_module(module), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*(name for name in globals() if name.startswith("__")), *__all__, *_MODULES})


_MODULES = ("cancel", "errors", "hooks", "options", "profiles", "progress", "stats", "types")
"""What may be imported from here beside the names."""
del annotations  # pyright: ignore[reportUndefinedVariable]
