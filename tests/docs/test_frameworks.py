"""The recipes for frameworks run as they stand, in the real ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from poolse import Poolse
from poolse._auth.token_cache import claims
from poolse.testing import Sandbox
from tests.docs.code_blocks import python_of
from tests.docs.terminal_sessions import Terminal

HERE = "tests/docs/test_frameworks.py"

FASTAPI = """
from fastapi.testclient import TestClient

with TestClient(app) as http:
    assert http.post("/chat-token").status_code == 401
    app.dependency_overrides[signed_in_user] = lambda: "u-1"
    print(http.post("/chat-token").json()["token"])
"""

DJANGO_SETTINGS = """
import django
from django.conf import settings

urlpatterns = []
settings.configure(
    ALLOWED_HOSTS=["testserver"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    ROOT_URLCONF="__main__",
    LOGIN_URL="/sign-in/",
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
)
django.setup()
"""

DJANGO = """
import json
from django.contrib.auth.models import AnonymousUser, User
from django.test import RequestFactory

request = RequestFactory().post("/chat-token")
request.user = AnonymousUser()
assert chat_token(request).status_code == 302
request.user = User(pk=1, username="ada")
print(json.loads(chat_token(request).content)["token"])
backend().close()
"""

DJANGO_ORDERS = """
from django.db import connection

with connection.schema_editor() as editor:
    editor.create_model(Order)
order = Order.objects.create(customer="alice")
order.save()
try:
    with transaction.atomic():
        order.status = "sent"
        order.save()
        raise OSError
except OSError:
    pass
order.status = "paid"
order.save()
chat().close()
"""

CELERY = """
import sys
from celery.contrib.testing.worker import start_worker

app.conf.result_backend = "cache+memory://"
with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=30):
    first = notify.apply_async((sys.argv[1], "Your order was sent"), task_id="t-1").get(timeout=30)
    again = notify.apply_async((sys.argv[1], "Your order was sent"), task_id="t-1").get(timeout=30)
    assert first == again
chat().close()
"""

BROKER = 'import os; os.environ["BROKER_URL"] = "memory://"\n'

JUPYTER = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
for cell in json.loads(sys.argv[1]):
    shell.run_cell(cell).raise_error()
    shown = shell.user_ns.get("_")
    if isinstance(shown, (int, str)):
        print(shown)
"""

LEAVE = ["off(); live.leave(); chat.close()", "await async_chat.aclose()"]


@pytest.fixture
def terminal(sandbox: Sandbox, tmp_path: Path) -> Iterator[Terminal]:
    with closing(Terminal(sandbox, tmp_path)) as made:
        yield made


@pytest.mark.parametrize(
    ("recipe", "before", "after", "external_id"),
    [(0, "", FASTAPI, "u-1"), (1, DJANGO_SETTINGS, DJANGO, "1")],
    ids=["fastapi", "django"],
)
def test_a_signed_in_user_gets_a_token(
    terminal: Terminal, sandbox: Sandbox, recipe: int, before: str, after: str, external_id: str
) -> None:
    code = python_of("docs/backend.md", HERE)[recipe].code
    token = terminal.python("-c", before + code + after).strip()
    assert claims(token)["sub"] == sandbox.user_id(external_id)


def room_with(sandbox: Sandbox, chat: Poolse, member: str) -> str:
    sandbox.user_id(member)
    return chat.conversations.create(type="group", member_external_ids=[member]).id


def texts_in(chat: Poolse, conversation_id: str) -> list[str | None]:
    return [row.body for row in chat.conversations.one(conversation_id).messages.iter()]


def test_django_tells_once_of_what_was_saved(terminal: Terminal, sandbox: Sandbox) -> None:
    [orders] = python_of("docs/cookbook/django.md", HERE)
    with Poolse(api_url=sandbox.url, token=sandbox.token("alice")) as chat:
        terminal.python("-c", DJANGO_SETTINGS + orders.code + DJANGO_ORDERS)
        (room,) = chat.conversations.list()
        assert texts_in(chat, room.id) == ["Order 1 is paid", "Order 1 is new"]


def test_a_celery_task_that_runs_twice_tells_once(terminal: Terminal, sandbox: Sandbox) -> None:
    [tasks] = python_of("docs/cookbook/celery.md", HERE)
    with Poolse(api_url=sandbox.url, token=sandbox.token("alice")) as chat:
        room = room_with(sandbox, chat, "notifier")
        program = BROKER + tasks.code + CELERY
        terminal.python("-W", "default", "-c", program, room)
        assert texts_in(chat, room) == ["Your order was sent"]


def test_the_cells_of_a_notebook_run(terminal: Terminal, sandbox: Sandbox) -> None:
    cells = [block.code for block in python_of("docs/cookbook/jupyter.md", HERE)]
    with Poolse(api_url=sandbox.url, token=sandbox.token("alice")) as chat:
        room = room_with(sandbox, chat, "bob")
        chat.conversations.one(room).messages.send(body="Hello")
    said = terminal.python("-W", "default", "-c", JUPYTER, json.dumps(cells + LEAVE))
    assert "1" in said
    assert "alice" in said
