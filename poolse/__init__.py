"""Python SDK for the poolse chat API, with sync and async clients.

from poolse import Poolse

with Poolse(get_token=fetch_token) as chat:
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

# What is imported here is public: `make generate` makes `names` and `public` from it.
if _typing.TYPE_CHECKING:
    from poolse._auth.async_token_provider import AsyncTokenProvider
    from poolse._auth.token_provider import TokenProvider
    from poolse._calls.async_calls import AsyncCall, AsyncCalls
    from poolse._calls.call_states import CallStatus
    from poolse._calls.calls import Call, Calls
    from poolse._client.async_realtime import AsyncPoolseRealtime
    from poolse._client.from_dict import from_dict
    from poolse._client.options import POOLSE_API_URL
    from poolse._client.realtime import PoolseRealtime
    from poolse._follow.checkpoints import (
        AsyncCheckpoint,
        Checkpoint,
        MemoryCheckpoint,
        SQLiteCheckpoint,
    )
    from poolse._follow.positions import After, Gap, Last, Position
    from poolse._generated import public
    from poolse._generated.public import *
    from poolse._http.client_types import AsyncHttpClient, HttpClient
    from poolse._json.codec import missing, to_dict
    from poolse._json.models import Model, Page, Row
    from poolse._observe.capture import CapturedCall
    from poolse._profiles.async_users import AsyncUsersResource
    from poolse._profiles.resolver import AsyncResolver, Resolver, UserProfile, UsersBy
    from poolse._profiles.users import UsersResource
    from poolse._realtime.async_public import AsyncEvents, AsyncRepeatedPush
    from poolse._realtime.channel import Payload
    from poolse._realtime.channel_types import RealtimeStatus, UnknownEvent
    from poolse._realtime.public import Events, RepeatedPush
    from poolse._state.async_conversation_state import AsyncConversationState
    from poolse._state.async_inbox_state import AsyncInboxState
    from poolse._state.async_live_state import AsyncLiveState
    from poolse._state.async_state_handle import AsyncSnapshots
    from poolse._state.conversation_state import ConversationState
    from poolse._state.inbox_state import InboxState
    from poolse._state.live_state import LiveState
    from poolse._state.snapshots import (
        ConversationChange,
        ConversationSnapshot,
        InboxChange,
        InboxSnapshot,
        LiveMessage,
        LiveMessages,
        MessageStatus,
        StateChange,
        StateStatus,
    )
    from poolse._state.state_handle import Snapshots
    from poolse._voice.async_room import AsyncVoiceRoom
    from poolse._voice.room import VoiceRoom
    from poolse._voice.room_state import VoiceParticipant, VoiceStatus
    from poolse.async_client import AsyncPoolse, AsyncPoolseBackend
    from poolse.cancel import CancelToken
    from poolse.client import Poolse, PoolseBackend
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
    from poolse.progress import ProgressBar, progress_bar
    from poolse.rest import AsyncRest, Rest
    from poolse.stats import CallStats, FollowStats, PoolStats, RealtimeStats, Stats
    from poolse.types import AsyncGetToken, GetToken

__version__ = version

# Written out, since type checkers read no other form of it: what is imported above.
__all__: list[str] = [
    "POOLSE_API_URL",
    "UNSET",
    "After",
    "AsyncCall",
    "AsyncCalls",
    "AsyncCheckpoint",
    "AsyncConversationState",
    "AsyncEvents",
    "AsyncGetToken",
    "AsyncHttpClient",
    "AsyncInboxState",
    "AsyncLiveState",
    "AsyncPoolse",
    "AsyncPoolseBackend",
    "AsyncPoolseRealtime",
    "AsyncRepeatedPush",
    "AsyncResolver",
    "AsyncRest",
    "AsyncSnapshots",
    "AsyncTokenProvider",
    "AsyncUsersResource",
    "AsyncVoiceRoom",
    "Call",
    "CallOptions",
    "CallStats",
    "CallStatus",
    "Calls",
    "CancelToken",
    "CapturedCall",
    "Checkpoint",
    "ConversationChange",
    "ConversationSnapshot",
    "ConversationState",
    "Events",
    "FollowStats",
    "Gap",
    "GetToken",
    "Hooks",
    "HttpClient",
    "InboxChange",
    "InboxSnapshot",
    "InboxState",
    "Last",
    "LiveMessage",
    "LiveMessages",
    "LiveState",
    "MemoryCheckpoint",
    "MessageStatus",
    "Model",
    "Page",
    "Payload",
    "PoolStats",
    "Poolse",
    "PoolseBackend",
    "PoolseRealtime",
    "Position",
    "ProgressBar",
    "RealtimeEvent",
    "RealtimeInfo",
    "RealtimeStats",
    "RealtimeStatus",
    "RepeatedPush",
    "RequestInfo",
    "Resolver",
    "ResponseInfo",
    "Rest",
    "RetryInfo",
    "Row",
    "SQLiteCheckpoint",
    "Snapshots",
    "StateChange",
    "StateStatus",
    "Stats",
    "Timeout",
    "TimeoutPhase",
    "TokenProvider",
    "UnknownEvent",
    "Unset",
    "UserProfile",
    "UsersResource",
    "VoiceParticipant",
    "VoiceRoom",
    "VoiceStatus",
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
    __all__ += [name for name in _NAMES if name not in __all__]


# Loaded when first used: importing poolse costs no third-party import. Hidden from type checkers,
# which would take every name for one of ours.
if not _typing.TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        try:
            module = _NAMES[name]
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
