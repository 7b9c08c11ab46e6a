"""A change of the spec that the sandbox does not follow turns its tests red."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.codegen.project_copy import ROOT, Tree, plant

TYPING = """\
      name: typing:start
      payload:
        type: object
        required: [user_id]
        properties:
"""
EXTERNAL_ID = """\
          external_id: {type: string, description: Your own id of the user.}
"""
PUSH = "payload: {type: object, additionalProperties: false}"
REPLY = """\
    messages: [{$ref: '#/channels/conversation/messages/typing'}]
"""
PRESENCE = "tests/sandbox/test_sandbox_presence.py::test_two_users_type_at_once"


@pytest.fixture
def copy(tmp_path: Path) -> Tree:
    """The project with its tests."""
    ignore = shutil.ignore_patterns("__pycache__", "node_modules")
    shutil.copytree(ROOT / "tests", tmp_path / "tests", ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return plant(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "breach"),
    [
        (
            TYPING,
            TYPING.replace("[user_id]", "[user_id, external_id]") + EXTERNAL_ID,
            "typing:start: $: 'external_id' is a required property",
        ),
        (
            PUSH,
            "payload: {type: object, required: [since], properties: {since: {type: integer, "
            "description: For how long.}}}",
            "typing: $: 'since' is a required property",
        ),
        (
            REPLY,
            REPLY
            + "    reply: {messages: [{$ref: '#/channels/conversation/messages/messageNew'}]}\n",
            "typing, reply: there is no reply",
        ),
    ],
    ids=["event", "push", "reply"],
)
def test_a_channel(copy: Tree, old: str, new: str, breach: str) -> None:
    copy.replace("spec/asyncapi.yaml", old, new)
    copy.generate()
    run = ("-W", "default", "-m", "pytest", "-q", "-p", "no:cacheprovider", PRESENCE)
    assert breach in copy.python(*run, expect=1)
