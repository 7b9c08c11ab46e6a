"""What all clients have in common: connections, a credential, views, captured calls."""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import update_wrapper
from types import FunctionType
from typing import TYPE_CHECKING, ClassVar, Generic, NoReturn, Self, TypeVar

import attrs

from poolse._auth.credentials import check_http_client
from poolse._auth.token_cache import FixedToken
from poolse._http.user_agent import user_agent_of
from poolse._observe.capture import CapturedCall
from poolse._observe.observers import Observers, checked_hooks
from poolse._rest.request_io import Lifetime, RequestIO, Sender, Tokens
from poolse._rest.settings import checked_settings
from poolse._support.argument_checks import checked_count, checked_instance
from poolse._support.header_values import Secret
from poolse._support.open_resources import OpenResources, how_to_close
from poolse._support.secret import hidden_items
from poolse.cancel import CancelToken
from poolse.errors import ArgumentTypeError
from poolse.hooks import Hooks
from poolse.options import CallOptions, Timeout
from poolse.types import UNSET, Unset

if TYPE_CHECKING:
    from poolse.stats import FollowStats, PoolStats, RealtimeStats, Stats

__all__ = ["ClientBase", "new_uuid"]

HttpClientT = TypeVar("HttpClientT")
T = TypeVar("T")


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ClientOptions(Generic[HttpClientT]):
    """What the constructor was given beside the settings of a call."""

    credential: Callable[[], object] | Secret
    http_client: HttpClientT | None
    proxy: str | None
    ssl_context: ssl.SSLContext | None
    max_connections: int
    max_response_bytes: int
    belongings: OpenResources

    def sender(self, kind: Callable[..., T], lifetime: Lifetime) -> T:
        """A sender of this kind."""
        return kind(
            http_client=self.http_client,
            proxy=self.proxy,
            ssl_context=self.ssl_context,
            max_connections=self.max_connections,
            max_response=self.max_response_bytes,
            resources=self.belongings,
            lifetime=lifetime,
        )

    def tokens(
        self, kind: Callable[[Callable[[], object], Lifetime], T], lifetime: Lifetime
    ) -> FixedToken | T:
        """What hands out the token: one of this kind, unless there is a fixed one."""
        given = self.credential
        return FixedToken(given) if isinstance(given, Secret) else kind(given, lifetime)


def new_uuid() -> str:
    """A random id that nobody else has."""
    # Only now: a program that only reads makes none, and the module is slow to load.
    from uuid import uuid4

    return str(uuid4())


class ClientBase(Generic[HttpClientT]):
    """What all clients have in common."""

    _asynchronous: ClassVar[bool]
    _variable: ClassVar[str]
    """What such a client is called in the docs."""
    _tokens: Tokens

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        inherited: object = cls.__init__
        # Python's complaint of a wrong keyword names the constructor: each client has one of its
        # own name, although one class reads the arguments of several.
        if isinstance(inherited, FunctionType) and "__init__" not in vars(cls):
            type.__setattr__(cls, "__init__", _renamed(inherited, f"{cls.__qualname__}.__init__"))

    def _begin(
        self,
        *,
        credential: Callable[[], object] | Secret,
        api_url: str,
        http_client: HttpClientT | None,
        timeout: float | Timeout | None,
        proxy: str | None,
        ssl_context: ssl.SSLContext | None,
        max_connections: int,
        max_response_bytes: int,
        headers: Mapping[str, str] | None,
        user_agent: str | None,
        max_retries: int,
        base_backoff: float,
        max_backoff: float,
        max_retry_after: float,
        generate_idempotency_key: Callable[[], str],
        hooks: Hooks | Sequence[Hooks] | None,
    ) -> None:
        """The constructor of every client, once it knows its credential."""
        self._lifetime = Lifetime()
        self._observers = Observers(
            checked_hooks(hooks, asynchronous=self._asynchronous),
            asynchronous=self._asynchronous,
        )
        self._settings = checked_settings(
            api_url=api_url,
            timeout=timeout,
            max_retries=max_retries,
            base_backoff=base_backoff,
            max_backoff=max_backoff,
            max_retry_after=max_retry_after,
            user_agent=user_agent_of(user_agent),
            headers=headers,
            new_key=generate_idempotency_key,
            new_id=new_uuid,
        )
        if http_client is not None:
            check_http_client(http_client, asynchronous=self._asynchronous)
        if ssl_context is not None:
            checked_instance("ssl_context", ssl_context, ssl.SSLContext, "an ssl.SSLContext")
        self._given = ClientOptions(
            credential=credential,
            http_client=http_client,
            proxy=proxy,
            ssl_context=ssl_context,
            max_connections=checked_count("max_connections", max_connections, least=1),
            max_response_bytes=checked_count("max_response_bytes", max_response_bytes, least=1),
            belongings=OpenResources(
                how_to_close(type(self).__name__, self._variable, asynchronous=self._asynchronous)
            ),
        )
        self._owner = True
        self._assemble()
        self._expose()

    def with_options(
        self,
        *,
        timeout: float | Timeout | None | Unset = UNSET,
        max_retries: int | Unset = UNSET,
        headers: Mapping[str, str] | None = None,
        cancel: CancelToken | None = None,
    ) -> Self:
        """A view of this client whose calls have other options.

        It shares connections, token and realtime with this client, costs next to nothing, and
        closes nothing when it is closed.

        Args:
            timeout: Seconds for one attempt in total, or a `Timeout`.
            max_retries: Attempts after the first.
            headers: Sent beside the client's own.
            cancel: Ends the calls made through the view.
        """
        # First, so that no traceback shows them among its local variables.
        headers = hidden_items(headers)
        options = CallOptions(
            timeout=timeout, max_retries=max_retries, headers=headers, cancel=cancel
        )
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)
        view._settings = self._settings.for_call(options)
        view._owner = False
        view._expose()
        return view

    def __repr__(self) -> str:
        # A constructor that refuses is shown, half made, by tools that print local variables.
        if "_settings" not in self.__dict__:
            return f"<{type(self).__name__}>"
        closed = " closed" if self._lifetime.closed else ""
        return f"<{type(self).__name__} {self._settings.api_url}{closed}>"

    def __reduce__(self) -> NoReturn:
        raise ArgumentTypeError(
            f"a {type(self).__name__} holds connections and can be neither pickled nor copied: "
            "make one in each process"
        )

    def capture(self) -> AbstractContextManager[list[CapturedCall]]:
        """Collect what the calls inside a block do: status, headers, request id, attempts.

        Those of this thread, or of this task and the tasks that it starts; of this client and all
        its views. Calls that fail are among them. Blocks may be nested. In the async client too it
        is a plain `with`.

        Returns:
            A context manager that gives the list. A call is added to it when it ends.

        Example:
            >>> with chat.capture() as calls:
            ...     chat.rest.request(method="GET", path="/v1/me")
            >>> calls[0].status, calls[0].request_id
        """
        return self._observers.captures.collect()

    def stats(self) -> Stats:
        """How much this client has done, and what it is at: calls, connections, realtime, feeds.

        Numbers of the client and all its views. Sends nothing, and costs next to nothing.
        """
        from poolse.stats import Stats

        return Stats(
            calls=self._observers.stats(),
            pool=self._pool_stats(),
            realtime=self._realtime_stats(),
            follow=self._follow_stats(),
        )

    def _pool_stats(self) -> PoolStats | None:
        """How the connections of REST are used."""
        raise NotImplementedError

    def _realtime_stats(self) -> RealtimeStats | None:
        """Most clients have no realtime."""

    def _follow_stats(self) -> FollowStats | None:
        """And follow nothing."""

    def _assemble(self) -> None:
        """Make what all views share."""
        raise NotImplementedError

    def _expose(self) -> None:
        """Make the resources, for the settings of this view."""
        raise NotImplementedError

    def _hands(self, sender: Sender, tokens: Tokens) -> RequestIO:
        return RequestIO(sender, tokens, time.time, random.random, self._observers, self._lifetime)


def _renamed(function: FunctionType, name: str) -> FunctionType:
    twin = FunctionType(function.__code__, function.__globals__, closure=function.__closure__)
    update_wrapper(twin, function)
    twin.__defaults__, twin.__kwdefaults__ = function.__defaults__, function.__kwdefaults__
    twin.__qualname__ = name
    return twin
