"""The recipes of docs/backend.md run as they stand, in the real frameworks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from poolse._core.tokens import claims
from poolse.testing import Sandbox

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/backend.md").read_text("utf-8")
RECIPES = re.findall(r"^## (.+)\n(?:.*\n)*?```python\n((?:.*\n)*?)```", TEXT, re.MULTILINE)

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
backend.close()
"""


def run(script: str, sandbox: Sandbox) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "POOLSE_API_URL": sandbox.url,
            "POOLSE_API_KEY": sandbox.api_key,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("name", "before", "after", "external_id"),
    [("FastAPI", "", FASTAPI, "u-1"), ("Django", DJANGO_SETTINGS, DJANGO, "1")],
)
def test_a_signed_in_user_gets_a_token(
    sandbox: Sandbox, name: str, before: str, after: str, external_id: str
) -> None:
    token = run(before + dict(RECIPES)[name] + after, sandbox)
    assert claims(token)["sub"] == sandbox.user_id(external_id)


def test_a_bot_signs_in(sandbox: Sandbox) -> None:
    assert run(dict(RECIPES)["A bot in the same process"], sandbox) == "bot"
