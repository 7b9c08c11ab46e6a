"""What `poolse sandbox` prints when it is ready, for people, for programs and for commands."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from poolse.cli.sanitize import one_line

if TYPE_CHECKING:
    from poolse.testing import Sandbox

__all__ = ["CONFLICTING", "DAY", "USERS", "Started", "banner"]

USERS: Final = ("alice", "bob")

DAY: Final = 24 * 3600.0
"""Lifetime of the tokens in seconds."""

COMMENT: Final = 76
"""Longest comment, in columns."""

CONFLICTING: Final = (
    *("POOLSE_WS_URL", "POOLSE_TOKEN_FILE", "POOLSE_API_KEY_FILE", "POOLSE_PROFILE"),
)
"""Variables that a command must not inherit: they are about another backend."""


@attrs.frozen(kw_only=True)
class Started:
    """A running sandbox, and what there is in it."""

    sandbox: Sandbox
    data: Path | None = None
    tls: bool = False
    users: Sequence[str] = USERS
    lifetime: float = DAY
    conversations: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """IDs by name, of `--seed`."""

    def token(self, name: str) -> str:
        """Return a token of a user."""
        return self.sandbox.token(name, lifetime=self.lifetime)

    def environment(self) -> dict[str, str]:
        """Return the variables for clients of the first user."""
        ca_file = {"SSL_CERT_FILE": str(self.sandbox.ca_file)} if self.tls else {}
        first = next(iter(self.conversations.values()), None)
        return {
            "POOLSE_API_URL": self.sandbox.url,
            "POOLSE_API_KEY": self.sandbox.api_key,
            "POOLSE_TOKEN": self.token(self.users[0]),
            **ca_file,
            **({} if first is None else {"CONV": first}),
        }

    def to_json(self) -> dict[str, object]:
        """Return the banner for programs."""
        users = {
            name: {"id": self.sandbox.user_id(name), "token": self.token(name)}
            for name in self.users
        }
        facts: dict[str, object] = {"api_url": self.sandbox.url, "api_key": self.sandbox.api_key}
        if self.tls:
            facts["ca_file"] = str(self.sandbox.ca_file)
        if self.conversations:
            facts["conversations"] = dict(self.conversations)
        return {**facts, "users": users, "environment": self.environment()}


def banner(started: Started) -> str:
    """Return the whole text, with a margin. A shell can run all of it, as the first user."""
    period = "for one day" if started.lifetime == DAY else "that is the same in each run"
    first, *others = started.users
    token = f"export POOLSE_TOKEN={started.token(first)}"
    lines = [*_title(started), "", *_address(started)]
    lines += ["", _comment(f"{first}, with a token {period}"), token]
    if started.conversations:
        lines += ["", *_conversations(started)]
    lines.append("")
    if others:
        # Commands in comments are not cut.
        command = f"export POOLSE_TOKEN=$(poolse token {shlex.quote(one_line(others[0]))})"
        lines.append(_dim(f"# as another user: {command}"))
    # In quotes: a zsh that knows no comments would start a sandbox.
    lines.append(_comment("""next time, in one step: 'eval "$(poolse sandbox --env)"'"""))
    return "\n".join(["", *(f"  {line}".rstrip() for line in lines), ""])


def _title(started: Started) -> Iterator[str]:
    place = "in memory, " if started.data is None else ""
    name = f"{_dim('#')} {_style('poolse sandbox', '1')}"
    yield f"{name}  {started.sandbox.url}  {_dim(f'{place}Ctrl-C ends it')}"
    if started.data is not None:
        yield _dim(f"# stored in {one_line(str(started.data))}")
    yield _comment(f"open {started.sandbox.url} in a browser: chat, traffic, faults")
    yield _comment("paste all of this into another terminal")


def _address(started: Started) -> Iterator[str]:
    yield f"export POOLSE_API_URL={started.sandbox.url}"
    yield f"export POOLSE_API_KEY={started.sandbox.api_key}"
    if started.tls:
        yield f"export SSL_CERT_FILE={shlex.quote(str(started.sandbox.ca_file))}"


def _conversations(started: Started) -> Iterator[str]:
    """Yield the variable of the first one; the others are comments."""
    for number, (name, conversation) in enumerate(started.conversations.items()):
        yield _comment(f"the conversation {name}")
        export = f"export CONV={conversation}"
        yield _dim(f"# {export}") if number else export


def _comment(text: str) -> str:
    """Return a comment of a shell, in one line that fits 80 columns with the margin."""
    text = one_line(text)
    return _dim(f"# {text}" if len(text) <= COMMENT else f"# {text[: COMMENT - 3]}...")


def _dim(text: str) -> str:
    return _style(text, "2")


def _style(text: str, code: str) -> str:
    """Return the text in bold or dim letters, on a terminal."""
    # By hand: the library that the demo uses for it takes longer to load than the sandbox.
    plain = not sys.stdout.isatty() or "NO_COLOR" in os.environ
    return text if plain else f"\x1b[{code}m{text}\x1b[0m"
