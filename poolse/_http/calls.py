"""What every call of a client needs: hands, settings, and a client that is open."""

from __future__ import annotations

import attrs

from poolse._core.hands import Hands
from poolse._core.settings import Settings
from poolse.errors import UsageError
from poolse.options import CallOptions

__all__ = ["Calls", "Lifetime"]


@attrs.define
class Lifetime:
    """Whether the client is open; shared with all its views."""

    closed: bool = False

    def check(self) -> None:
        """Raise `UsageError` once the client is closed."""
        if self.closed:
            raise UsageError("this client is closed; make a new one")


@attrs.frozen
class Calls:
    """What the calls of both clients have in common."""

    hands: Hands
    settings: Settings
    lifetime: Lifetime

    def _settings_for(self, options: CallOptions | None) -> Settings:
        self.lifetime.check()
        return self.settings.for_call(options)
