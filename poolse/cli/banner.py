"""What `poolse sandbox` says when it is up: short, and every line of it ready to be copied."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from poolse.testing import Sandbox

__all__ = ["DAY", "USERS", "greeting"]

USERS = ("alice", "bob")

DAY = 24 * 3600.0
"""Seconds that their tokens are good for."""


def greeting(sandbox: Sandbox, data: Path | None, *, tls: bool) -> str:
    """The whole text, with a margin. A shell takes it as it stands, but for the title."""
    lines = [_title(sandbox, data), "", *_address(sandbox, tls=tls)]
    for name in USERS:
        told = f"{name}, user id {sandbox.user_id(name)}, for a day"
        lines += [
            "",
            _dim(f"# {told}"),
            f"export POOLSE_TOKEN={sandbox.token(name, lifetime=DAY)}",
        ]
    lines += ["", _dim(f"# another token for {USERS[0]}, by curl or in Python")]
    lines += [_by_curl(sandbox, tls=tls), _in_python(sandbox, tls=tls)]
    return "\n".join(["", *(f"  {line}".rstrip() for line in lines), ""])


def _title(sandbox: Sandbox, data: Path | None) -> str:
    kept = "in memory" if data is None else f"kept in {data}"
    return f"{_style('poolse sandbox', '1')}  {sandbox.url}  {_dim(f'{kept} · Ctrl-C ends it')}"


def _address(sandbox: Sandbox, *, tls: bool) -> Iterator[str]:
    yield f"export POOLSE_API_URL={sandbox.url}"
    yield f"export POOLSE_API_KEY={sandbox.api_key}"
    if tls:
        yield f"export SSL_CERT_FILE={shlex.quote(str(sandbox.ca_file))}"


# Both are complete in themselves, so that they work in a shell that has exported nothing.


def _by_curl(sandbox: Sandbox, *, tls: bool) -> str:
    trust = f" --cacert {shlex.quote(str(sandbox.ca_file))}" if tls else ""
    url = f"{sandbox.url}/v1/users/{sandbox.user_id(USERS[0])}/tokens"
    return f'curl -s -X POST{trust} {url} -H "Authorization: Bearer {sandbox.api_key}"'


def _in_python(sandbox: Sandbox, *, tls: bool) -> str:
    trust = f"SSL_CERT_FILE={shlex.quote(str(sandbox.ca_file))} " if tls else ""
    backend = f'PoolseBackend(api_key="{sandbox.api_key}", api_url="{sandbox.url}")'
    call = f'{backend}.users.create_token("{sandbox.user_id(USERS[0])}").token'
    return f"{trust}python -c 'from poolse import PoolseBackend; print({call})'"


def _dim(text: str) -> str:
    return _style(text, "2")


def _style(text: str, code: str) -> str:
    """The text in bold or dim letters, where somebody looks at a terminal."""
    # By hand: the library that the demo uses for it takes longer to load than the sandbox.
    plain = not sys.stdout.isatty() or "NO_COLOR" in os.environ
    return text if plain else f"\x1b[{code}m{text}\x1b[0m"
