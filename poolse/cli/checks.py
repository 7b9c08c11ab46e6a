"""The checks of `poolse doctor`, in the order in which one needs the other."""

from __future__ import annotations

import platform
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

import attrs

from poolse import (
    POOLSE_API_URL,
    ApiError,
    CallOptions,
    NetworkError,
    NotFoundError,
    Poolse,
    PoolseError,
    ServerError,
    version,
)
from poolse.cli.exit_codes import as_failure, no_poolse
from poolse.cli.failure import NETWORK, Failure
from poolse.cli.session import AGENT, Session
from poolse.cli.settings import NOTHING_SET
from poolse.cli.token_claims import expiry_of, period

if TYPE_CHECKING:
    from poolse import Me
    from poolse.cli.settings import Credential

__all__ = ["Check", "run_checks"]

TIMEOUT: Final = 10.0
"""Seconds for each step."""

IMPATIENT: Final = CallOptions(timeout=TIMEOUT, max_retries=0)

SKEW: Final = 60.0
"""Seconds that the clock of this machine may be off. Tokens are renewed 30 s before their end."""

TLS_WORDS: Final = ("TLS failed", "certificate is not trusted")
TLS_HINT: Final = (
    "trust the certificate: SSL_CERT_FILE=FILE names a PEM file, such as the one that "
    "`poolse sandbox --tls` prints"
)
PLAIN_HINT: Final = "the server does not speak TLS: begin the address with http://"
CLOCK_HINT: Final = "set the clock of this machine, for example with NTP: tokens depend on it"
WS_HINT: Final = (
    "a proxy or a firewall may block WebSockets; if the socket has another host, set POOLSE_WS_URL"
)


@attrs.frozen
class Check:
    """The result of a check."""

    name: str
    detail: str
    hint: str = ""
    failure: Failure | None = None
    skipped: bool = False

    @property
    def status(self) -> str:
        """One word. A hint without a failure is a warning."""
        if self.failure is not None:
            return "FAILED"
        return "-" if self.skipped else "warn" if self.hint else "ok"

    def to_json(self) -> dict[str, object]:
        """Return the check for programs."""
        return {
            "check": self.name,
            "status": self.status.lower().replace("-", "skipped"),
            "detail": self.detail,
            "hint": self.hint or None,
        }


def run_checks(session: Session) -> Iterator[Check]:
    """Run the checks. Those that need a failed one are skipped."""
    yield _versions()
    try:
        url = session.settings.api_url or POOLSE_API_URL
        chat = _anonymous(url)
    except (PoolseError, Failure) as error:
        yield _failed("settings", as_failure(error, session))
        return
    yield Check("settings", _sources(session))
    with chat:
        reached = list(_reach(session, url, chat))
    yield from reached
    if any(check.failure for check in reached):
        none = "none is set; " if session.settings.token is None else ""
        yield Check("token", f"{none}not checked: the backend is out of reach", skipped=True)
        return
    yield _key(session)
    yield from _token_and_socket(session)


def _versions() -> Check:
    python = f"Python {platform.python_version()}"
    return Check("versions", f"poolse {version}, {python}, {platform.system()}")


def _sources(session: Session) -> str:
    settings = session.settings
    token = "none" if settings.token is None else settings.token.source
    key = "none" if settings.api_key is None else settings.api_key.source
    return f"address: {settings.api_url_source}; token: {token}; API key: {key}"


def _anonymous(url: str) -> Poolse:
    """Return a client without a token: its requests are refused, but they arrive."""
    return Poolse(api_url=url, get_token=lambda: None, user_agent=AGENT)


def _reach(session: Session, url: str, chat: Poolse) -> Iterator[Check]:
    """Check address, TLS and clock with one request."""
    began = time.time()
    with chat.capture() as calls:
        error = _error_of(lambda: chat.me.show(options=IMPATIENT))
    took = time.time() - began
    if isinstance(error, NetworkError):
        failure = as_failure(error)
        if any(words in str(error) for words in TLS_WORDS):
            hint = PLAIN_HINT if "WRONG_VERSION_NUMBER" in str(error) else TLS_HINT
            yield Check("address", url)
            yield _failed("TLS", Failure(str(failure), NETWORK, hint))
        else:
            hint = NOTHING_SET if session.settings.nothing_set else failure.hint
            yield _failed("address", Failure(f"{url}: {failure}", NETWORK, hint))
        return
    if not isinstance(error, ApiError) or error.code == "not_found":
        yield _failed("address", no_poolse(url))
        return
    if isinstance(error, ServerError) or error.code == "unknown_error":
        yield _failed("address", as_failure(error, session))
        return
    yield Check("address", f"{url} responds in {took * 1000:.0f} ms")
    encrypted = url.lower().startswith("https:")
    yield Check("TLS", "the certificate is trusted" if encrypted else "none", skipped=not encrypted)
    yield _clock(calls[0].headers.get("date"), began + took / 2)


def _clock(date: str | None, now: float) -> Check:
    try:
        # The header has whole seconds.
        ahead = now - parsedate_to_datetime(date or "").timestamp() - 0.5
    except ValueError:
        return Check("clock", "not checked: the server does not send the time", skipped=True)
    if abs(ahead) < SKEW:
        return Check("clock", "agrees with the server's")
    direction = "ahead of" if ahead > 0 else "behind"
    return Check("clock", f"{period(abs(ahead))} {direction} the server's", CLOCK_HINT)


def _key(session: Session) -> Check:
    """Check the API key: a token for a user who does not exist is 404 if the key is valid."""
    if session.settings.api_key is None:
        return Check("API key", "none is set; only backends need it", skipped=True)
    try:
        with session.backend() as backend, suppress(NotFoundError):
            backend.users.create_token(str(uuid.uuid4()), options=IMPATIENT)
    except (PoolseError, Failure) as error:
        return _failed("API key", as_failure(error, session))
    return Check("API key", f"accepted, from {session.settings.api_key.source}")


def _token_and_socket(session: Session) -> Iterator[Check]:
    try:
        with session.chat() as chat:
            me = chat.me.show(options=IMPATIENT)
            yield _token(me, session.settings.token)
            try:
                began = time.monotonic()
                chat.realtime.user(me.id).wait_joined(timeout=TIMEOUT)
            except PoolseError as error:
                failure = as_failure(error, session)
                yield _failed("socket", Failure(str(failure), failure.exit_code, WS_HINT))
            else:
                took = time.monotonic() - began
                yield Check("socket", f"connected and joined in {took * 1000:.0f} ms")
    except (PoolseError, Failure) as error:
        yield _failed("token", as_failure(error, session))
        yield Check("socket", "not checked: it needs the token", skipped=True)


def _token(me: Me, credential: Credential | None) -> Check:
    detail = f"user {me.external_id}"
    if me.is_blocked:
        return Check("token", f"{detail} is blocked", "every other request is refused: unblock it")
    if credential is not None:
        detail += f", from {credential.source}"
        expiry = expiry_of(credential.read())
        if expiry is not None:
            left = (expiry - datetime.now(UTC)).total_seconds()
            detail += f", valid for {period(max(0.0, left))}"
    return Check("token", detail)


def _failed(name: str, failure: Failure) -> Check:
    return Check(name, str(failure), failure.hint, failure)


def _error_of(call: Callable[[], object]) -> Exception | None:
    try:
        call()
    except PoolseError as error:
        return error
    return None
