"""What a test let be logged: a token, an API key or a signature fails it, at whatever level.

A pytest plugin. It listens at the root of logging, at level 1, for the whole run, so that what the
HTTP and WebSocket libraries say while they work for us is heard too.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterator
from typing import Final

import pytest

__all__ = ["SECRETS", "Listener", "listened", "text_of"]

SECRETS: Final = re.compile(
    r"s3cret|5ecret"  # in tokens, keys and URLs that tests make up
    r"|eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+"  # a JWT, as the sandbox mints them
    r"|\bpk_[a-z]+_\w+"  # an API key
    r"|[Ss]ignature=[^\s.&'\")]"  # of a URL
    r"|\b[Bb]earer [^\s'\"]"
    r"|[?&]token=[^\s.&'\")]"
)

OTHERS: Final = ("boto3", "botocore", "hypothesis", "moto", "s3transfer", "uvicorn", "werkzeug")
"""Log of their own secrets, or only as servers: below WARNING that is no business of ours."""

PLAIN: Final = frozenset(vars(logging.makeLogRecord({})))


def text_of(record: logging.LogRecord) -> str:
    """All that a record says: its message, its traceback, and what was added to it."""
    parts = [record.getMessage(), record.exc_text or ""]
    if record.exc_info:
        parts += traceback.format_exception(*record.exc_info)
    parts += [f"{name}={value!r}" for name, value in vars(record).items() if name not in PLAIN]
    return "\n".join(parts)


class Listener(logging.Handler):
    """Keeps what gives something away."""

    def __init__(self) -> None:
        super().__init__(1)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = text_of(record)
        if SECRETS.search(text):
            self.found.append(f"{record.name} {record.levelname}: {text}")


def listened(listener: Listener) -> Iterator[Listener]:
    """Have it listen to everything."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(1)
    root.addHandler(listener)
    for name in OTHERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    yield listener
    root.removeHandler(listener)
    root.setLevel(before)


@pytest.fixture(scope="session")
def log_listener() -> Iterator[Listener]:
    yield from listened(Listener())


@pytest.fixture(autouse=True)
def no_secrets_in_logs(log_listener: Listener) -> Iterator[None]:
    """Fail the test in which a secret was logged."""
    log_listener.found.clear()
    yield
    if log_listener.found:
        pytest.fail("secrets were logged:\n  " + "\n  ".join(log_listener.found), pytrace=False)
