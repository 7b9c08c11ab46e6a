"""The modules of docs/cookbook/system-messages.md send a notice once, and only after a commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from poolse import Poolse
from poolse.testing import Sandbox, client_for
from tests.docs.code_blocks import python_of
from tests.docs.terminal_sessions import Terminal
from tests.docs.test_frameworks import DJANGO_SETTINGS

PAGE = "docs/cookbook/system-messages.md"
HERE = "tests/docs/test_system_messages.py"

PROGRAM = (
    DJANGO_SETTINGS
    + """
import os, sys
from celery import Celery

sys.path.insert(0, os.getcwd())
key = os.environ.pop("POOLSE_API_KEY")
from django.db import transaction
from shipping import ship  # importing it needs no API key

os.environ["POOLSE_API_KEY"] = key
app = Celery()
app.conf.task_always_eager = True
from notices import add_sender, backend, chat

for _ in range(2):
    add_sender(sys.argv[1], "alice")
    ship(1, sys.argv[1])
try:
    with transaction.atomic():
        ship(2, sys.argv[1])
        raise OSError
except OSError:
    pass
chat().close()
backend().close()
"""
)


@pytest.fixture
def terminal(sandbox: Sandbox, tmp_path: Path) -> Iterator[Terminal]:
    with closing(Terminal(sandbox, tmp_path)) as opened:
        yield opened


@pytest.fixture
def alice(sandbox: Sandbox) -> Iterator[Poolse]:
    with client_for(sandbox, "alice") as chat:
        yield chat


def test_a_notice_is_sent_once_and_only_after_a_commit(
    terminal: Terminal, alice: Poolse, tmp_path: Path
) -> None:
    for block in python_of(PAGE, HERE):
        (tmp_path / block.name).write_text(block.code, "utf-8")
    room = alice.conversations.create(type="group")
    terminal.python("-W", "default", "-c", PROGRAM, room.id)
    messages = list(alice.conversations.one(room.id).messages.iter())
    assert [(one.type, one.body) for one in messages] == [("system", "Order 1 has been shipped")]
