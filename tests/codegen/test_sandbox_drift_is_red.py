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
        required: [user_id, external_id]
        properties:
"""
DEVICE = """\
          device: {type: string, description: Where the user types.}
"""
PUSH = """\
      name: typing
      payload: {type: object, additionalProperties: false}
"""
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
            TYPING.replace("external_id]", "external_id, device]") + DEVICE,
            "typing:start: $: 'device' is a required property",
        ),
        (
            PUSH,
            PUSH.replace(
                "additionalProperties: false",
                "required: [since], properties: {since: {type: integer, description: Since when.}}",
            ),
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
    # A push that has fields or a reply cannot be repeated.
    copy.replace("spec/asyncapi.yaml", ", repeat: {method: typing, every: 2}", "")
    copy.replace("spec/asyncapi.yaml", old, new)
    copy.generate()
    run = ("-W", "default", "-m", "pytest", "-q", "-p", "no:cacheprovider", PRESENCE)
    assert breach in copy.python(*run, expect=1)
