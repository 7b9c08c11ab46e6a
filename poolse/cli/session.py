"""One run of the command: its settings, its clients and its output."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from poolse import version
from poolse.cli.failure import AUTH, Failure
from poolse.cli.sanitize import decoration, json_text, sanitized
from poolse.cli.settings import NOTHING_SET, Settings, config_file, settings
from poolse.cli.token_claims import looks_like_api_key, looks_like_token
from poolse.cli.wrapping import wrapped

if TYPE_CHECKING:
    from poolse import AsyncPoolse, Poolse, PoolseBackend, PoolseError, UserProfile

__all__ = ["Session"]

AGENT: Final = f"poolse-cli/{version}"


class Session:
    """Passed to each command."""

    def __init__(self) -> None:
        self.json = False
        """Whether a program reads the output."""
        self.debug = False
        """Whether tracebacks are shown."""
        self.flags: dict[str, str] = {}
        """Settings from flags."""
        self.on_socket_error: Callable[[PoolseError], object] = _ignore
        """Called with transient errors of sockets."""

    @cached_property
    def settings(self) -> Settings:
        """Environment, config file and flags together."""
        return settings(os.environ, self.flags)

    # Clients.

    def chat(self, user_resolver: Callable[[str], UserProfile | None] | None = None) -> Poolse:
        """Return a client for the user of the token.

        Raises:
            Failure: There is no token.
        """
        from poolse import Poolse

        return Poolse(**self._user_options(), user_resolver=user_resolver)

    def async_chat(self) -> AsyncPoolse:
        """Return an async client for the user of the token."""
        from poolse import AsyncPoolse

        return AsyncPoolse(**self._user_options())

    def backend(self) -> PoolseBackend:
        """Return a client for the tenant of the API key.

        Raises:
            Failure: There is no API key.
        """
        from poolse import PoolseBackend

        credential = self.settings.api_key
        if credential is None:
            hint = f"set POOLSE_API_KEY, pass --api-key-file, or set api_key in {config_file()}"
            raise Failure("this command requires the API key of your tenant", AUTH, self._or(hint))
        if looks_like_token(credential.read()):
            raise Failure(
                f"{credential.source} has a user's token, not an API key",
                AUTH,
                "the API key of your tenant begins with pk_",
            )
        api_url = self.settings.api_url
        return PoolseBackend(api_key=credential.read(), api_url=api_url, user_agent=AGENT)

    def _user_options(self) -> dict[str, Any]:
        credential = self.settings.token
        if credential is None:
            raise Failure(
                "no user token",
                AUTH,
                self._or(
                    f"set POOLSE_TOKEN, pass --token-file, or set token in {config_file()}; "
                    "`poolse token EXTERNAL_ID` issues one"
                ),
            )
        # Now, so that a file that is not there is found before anything is sent.
        if looks_like_api_key(credential.read()):
            raise Failure(
                f"{credential.source} has an API key, not a token",
                AUTH,
                "a token acts for one user: `poolse token EXTERNAL_ID` issues one with the API key",
            )
        return {
            "token": None if credential.file else credential.text,
            "get_token": credential.read if credential.file else None,
            "api_url": self.settings.api_url,
            "ws_url": self.settings.ws_url,
            "user_agent": AGENT,
            "on_socket_error": self._socket_error,
        }

    def _socket_error(self, error: PoolseError) -> None:
        self.on_socket_error(error)

    def _or(self, hint: str) -> str:
        """Return the hint; if nothing at all is set, after that of how to begin."""
        return f"{NOTHING_SET}; or {hint}" if self.settings.nothing_set else hint

    # Output.

    def print_text(self, text: str) -> None:
        """Print a line for people on standard output."""
        print(sanitized(text), flush=True)

    def print_row(self, *cells: str) -> None:
        """Print a line of several columns. On a terminal it is cut at the edge."""
        line = "  ".join(cells)
        if sys.stdout.isatty():
            width = shutil.get_terminal_size().columns
            end = decoration("…")
            line = line if len(line) <= width else f"{line[: width - len(end)]}{end}"
        self.print_text(line)

    def print_json(self, value: object) -> None:
        """Print one line of JSON on standard output."""
        encoding = (sys.stdout.encoding or "").lower().replace("-", "")
        print(json_text(value, ascii_only=encoding != "utf8"), flush=True)

    def note(self, text: str) -> None:
        """Print a line on standard error, beside the output. A long one is wrapped."""
        print(wrapped(f"poolse: {text}", indent=8), file=sys.stderr, flush=True)


def _ignore(_error: PoolseError) -> None:
    """Do nothing: the status changes, too."""
