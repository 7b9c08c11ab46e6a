"""`POOLSE_LOG` turns logging on, for programs that have not done so themselves."""

from __future__ import annotations

import subprocess
import sys

import pytest

from poolse import AsyncPoolse, Poolse, UsageError
from poolse.testing import Sandbox

PROGRAM = """
import asyncio, logging, sys
from poolse import AsyncPoolse, Poolse

options = {"api_url": sys.argv[1], "token": sys.argv[2]}
if "configured" in sys.argv:
    logging.basicConfig(format="ours %(name)s")

async def main():
    async with AsyncPoolse(**options) as chat:
        await chat.me.show()

if "async" in sys.argv:
    asyncio.run(main())
else:
    with Poolse(**options) as chat:
        chat.me.show()
"""
RECORD = "poolse.http: GET /v1/me: 200 after"


def logged(sandbox: Sandbox, level: str, *options: str) -> str:
    """What a program writes to stderr."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, sandbox.url, sandbox.token("alice"), *options],
        env={"POOLSE_LOG": level},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr


@pytest.mark.parametrize("flavour", ["sync", "async"])
def test_the_calls_are_logged(sandbox: Sandbox, flavour: str) -> None:
    assert f"DEBUG {RECORD}" in logged(sandbox, " Debug", flavour)


def test_other_levels_log_less(sandbox: Sandbox) -> None:
    assert logged(sandbox, "warning") == logged(sandbox, "") == ""


def test_the_handlers_of_a_program_are_used(sandbox: Sandbox) -> None:
    assert set(logged(sandbox, "debug", "configured").splitlines()) == {"ours poolse.http"}


@pytest.mark.parametrize("flavour", [Poolse, AsyncPoolse])
def test_there_is_no_such_level(monkeypatch: pytest.MonkeyPatch, flavour: type[Poolse]) -> None:
    monkeypatch.setenv("POOLSE_LOG", "loud")
    with pytest.raises(UsageError, match="POOLSE_LOG must be debug, info, warning or error"):
        flavour(token="t")
