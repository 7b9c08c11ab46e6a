"""What every call of a client needs: hands, settings, and a client that is open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import attrs

from poolse._http.errors import client_closed
from poolse._rest.request_io import RequestIO
from poolse._rest.settings import Settings
from poolse.cancel import CancelToken
from poolse.errors import UsageError
from poolse.options import CallOptions

__all__ = ["Calls", "Lifetime"]

T = TypeVar("T")


class _Closing(CancelToken):
    """Ends what is under way when a client is closed, in words that say so."""

    def raise_if_cancelled(self) -> None:
        if self._cancelled:
            raise client_closed()


class Lifetime:
    """Whether the client is open; shared with all its views."""

    def __init__(self) -> None:
        self.closing: Final[CancelToken] = _Closing()
        """Cancelled when the client is closed. What waits for something waits for this too."""

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self.closing.cancelled

    def close(self) -> None:
        """End every wait of the client. Doing it again does nothing."""
        self.closing.cancel()

    def check(self) -> None:
        """Raise `UsageError` once the client is closed."""
        self.closing.raise_if_cancelled()


@attrs.frozen(eq=False, repr=False)
class Calls:
    """What the calls of both clients have in common."""

    hands: RequestIO
    settings: Settings
    lifetime: Lifetime
    followed: Callable[..., tuple[object, object]] | None = None
    """What a feed is made of, for one list and the choices of a caller."""

    def follow(self, feed: Callable[[Any, Any], T], key: str, **choices: Any) -> T:  # noqa: ANN401
        """A feed of that kind over one list."""
        self.lifetime.check()
        if self.followed is None:
            raise UsageError("this client follows nothing")
        return feed(*self.followed(key, **choices))

    def _settings_for(self, options: CallOptions | None) -> Settings:
        self.lifetime.check()
        return self.settings.for_call(options)
