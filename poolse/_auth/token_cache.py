"""What is known about the token: how long it lives, and which fetch may be believed.

A token is used until 30 s before its end, or for half of what is left when that is less than a
minute. One that does not say when it ends is used for 60 s. `None` is never kept. Nothing here
locks or fetches: the drivers do.

How long a token has left is counted on a monotonic clock from its arrival. The clock of this
machine may be hours off, so that `exp` alone says little: `exp - iat` is the life that the server
gave it, whatever the time is here. The date only shows, as far as it can be true, that a token has
used up a part of its life already. A token that was just fetched is not stale at once: if it is
too old in truth, the server refuses it, and it is fetched again. The exception is one without `iat`
that seems to end soon: it may be the rest of an older one, so that the next call fetches again. If
what comes then is no better, such are the tokens here, and it is used.

A refused token must never come back. A fetch that began before the refusal may still bring the
refused token, so its result is neither kept nor shared with callers after the refusal: each
refusal starts a new epoch, and a fetch belongs to the epoch in which it began.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode
from math import inf, isfinite
from typing import Final

import orjson

from poolse._json.parsing import as_object
from poolse._support.secret import Secret, checked_token
from poolse.cancel import CancelToken
from poolse.errors import UsageError

__all__ = ["FixedToken", "TokenCache", "asked_itself", "checked", "claims", "subject"]

EXPIRY_MARGIN: Final = 30.0
"""Seconds before its end at which a token is replaced."""
OPAQUE_LIFE: Final = 60.0
"""Seconds that a token is taken to live when it does not say."""
SHORTEST_USE: Final = 5.0
"""Seconds that a token is used at least, unless it says that its life is shorter."""


class TokenCache:
    """The one token that a client uses."""

    def __init__(self) -> None:
        self.epoch = 0
        self.token: str | None = None
        self.good_until = -inf
        """When to fetch another one, on the monotonic clock."""
        self._rejected: str | None = None
        self._was_remnant = False
        self.last: str | None = None
        """What the last fetch brought, whether or not it is kept."""

    def store(self, token: str | None, epoch: int, *, now: float, date: float) -> None:
        """Keep the result of a fetch that began in `epoch`.

        Args:
            token: What it brought.
            epoch: The one in which it began.
            now: When it ended, on the monotonic clock.
            date: The same by the clock of this machine, in seconds since 1970.
        """
        self.last = token
        if token and epoch == self.epoch:
            if token == self._rejected:
                # `get_token` insists on it. The next refusal is news then, and asks once more.
                self._rejected = None
            self.token = token
            self._was_remnant = not self._was_remnant and is_remnant(token, date)
            self.good_until = now if self._was_remnant else now + good_for(token, date)

    def reject(self, token: str | None) -> None:
        """Forget a token that the server refused; another one stays."""
        # Many calls may have used the same token: only the first refusal starts a new epoch,
        # or the others would throw away the fetch that already replaces it.
        if token is None or token == self._rejected:
            return
        self._rejected = token
        self.epoch += 1
        if token == self.token:
            self.token = None
            self.good_until = -inf


class FixedToken:
    """A token that never changes, so that a refusal is final."""

    def __init__(self, token: Secret) -> None:
        self.last: str | None = token

    async def get(self, cancel: CancelToken | None) -> str | None:  # noqa: ARG002 (protocol)
        return self.last

    def reject(self, token: str | None) -> bool:  # noqa: ARG002 (protocol)
        return False


def good_for(token: str, date: float) -> float:
    """Return the seconds to use a token that was fetched at a date in seconds since 1970."""
    found = claims(token)
    ends, begins = _moment(found.get("exp")), _moment(found.get("iat"))
    if ends is None:
        return OPAQUE_LIFE
    life = None if begins is None or begins >= ends else ends - begins
    left, least = ends - date, SHORTEST_USE
    if life is not None:
        least = min(life / 2, EXPIRY_MARGIN)
        # More than its life cannot be left, and expired tokens are not issued.
        left = left if 0 < left <= life else life
    elif left <= 0:
        left = OPAQUE_LIFE
    return max(left - min(EXPIRY_MARGIN, left / 2), least)


def is_remnant(token: str, date: float) -> bool:
    """Return whether it seems to expire soon, and does not contain its lifetime."""
    found = claims(token)
    ends, begins = _moment(found.get("exp")), _moment(found.get("iat"))
    return ends is not None and begins is None and 0 < ends - date <= EXPIRY_MARGIN


def _moment(claim: object) -> float | None:
    """Return the claim, if it can be a time."""
    if isinstance(claim, bool) or not isinstance(claim, int | float) or not isfinite(claim):
        return None
    return claim


def claims(token: str) -> dict[str, object]:
    """Return the claims of a JWT, unverified; empty for anything that is not one."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        found: object = orjson.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error):
        return {}
    return as_object(found)


def subject(token: str | None) -> str | None:
    """Return the user ID (`sub`) of a JWT, unverified; None without one."""
    found = claims(token).get("sub") if token else None
    return found if isinstance(found, str) and found else None


def checked(token: object) -> Secret | None:
    """Return the result of the caller's `get_token`, if it is valid."""
    if token is None:
        return None
    if isinstance(token, str):
        # Hidden before it is judged, and an empty one means what None means.
        token = Secret(token)
        return checked_token("the token from get_token", token) if token else token
    kind = type(token).__name__
    # Not among the locals of the traceback either: it may hold the secret in another form.
    token = None
    hint = "; an async get_token needs AsyncPoolse" if kind == "coroutine" else ""
    raise UsageError(f"get_token must return a str or None, not {kind}{hint}")


def asked_itself() -> UsageError:
    """Return the error of a fetch that waits for its own result, which would never come."""
    return UsageError("get_token must not use the client that it fetches the token for")
