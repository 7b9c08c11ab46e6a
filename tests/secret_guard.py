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

__all__ = ["SECRETS", "Listener", "text_of"]

SECRETS: Final = re.compile(
    r"s3cret|5ecret"  # in tokens, keys and URLs that tests make up
    r"|eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+"  # a JWT, as the sandbox mints them
    r"|\bpk_[a-z]+_\w+"  # an API key
    r"|[Ss]ignature=[^\s.&'\")]"  # of a URL
    r"|\b[Bb]earer [^\s'\"]"
    r"|[?&]token=[^\s.&'\")]"
)

OTHERS: Final = (
    "boto3",
    "botocore",
    "hypothesis",
    "moto",
    "s3transfer",
    "uvicorn",
    "websockets",
    "werkzeug",
)
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


LISTENER: Final = Listener()


def pytest_configure() -> None:
    # Here, and not in a fixture: pytest puts back the level that it finds before each phase.
    root = logging.getLogger()
    root.setLevel(1)
    root.addHandler(LISTENER)
    for name in OTHERS:
        logging.getLogger(name).setLevel(logging.WARNING)


def pytest_unconfigure() -> None:
    logging.getLogger().removeHandler(LISTENER)


@pytest.fixture(autouse=True)
def no_secrets_in_logs() -> Iterator[None]:
    """Fail the test in which a secret was logged."""
    LISTENER.found.clear()
    yield
    if LISTENER.found:
        pytest.fail("secrets were logged:\n  " + "\n  ".join(LISTENER.found), pytrace=False)
