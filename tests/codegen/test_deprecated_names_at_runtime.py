"""Old names work, in both flavours, and say what they are called now and how long they work."""

from __future__ import annotations

from typing import Any, Final

import pytest
import yaml

from tests.codegen.project_copy import ROOT, Tree, plant
from tests.conformance.script_server import ScriptServer

WAS: Final = "since: '0.2', until: '1.0'}]"
CHANGES: Final = (
    ("    me:\n", f"    profile:\n      was: [{{name: me, class: MeResource, {WAS}\n"),
    (
        "        resource: me\n        method: show\n",
        "        resource: profile\n        method: show\n",
    ),
    ("method: mark_read\n", f"method: note_read\n        was: [{{method: mark_read, {WAS}\n"),
    (
        "is_blocked: {type: boolean, ",
        "is_blocked: {type: boolean, "
        f"x-sdk: {{name: is_shut_out, was: [{{name: is_blocked, {WAS}}}, ",
    ),
)
PROGRAM: Final = """
import asyncio, sys, warnings
import poolse
from poolse import AsyncPoolse, Poolse

where = {"api_url": sys.argv[1], "token": "t"}

def told(work):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = work()
    assert all(one.filename == "<string>" for one in caught), caught
    return result, [str(one.message) for one in caught]

print(told(lambda: poolse.MeResource is poolse.ProfileResource))
print(told(lambda: poolse.AsyncMeResource is poolse.AsyncProfileResource))

with Poolse(**where) as chat:
    print(told(lambda: chat.profile.show().is_shut_out))
    print(told(lambda: chat.me.show().is_blocked))
    print(told(lambda: chat.conversations.one("c").messages.note_read("m")))
    print(told(lambda: chat.conversations.one("c").messages.mark_read("m")))

async def main():
    async with AsyncPoolse(**where) as chat:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            print((await chat.me.show()).is_blocked)
            await chat.conversations.one("c").messages.mark_read("m")
        print([str(one.message) for one in caught])

asyncio.run(main())
"""
NOTICES: Final = {
    "class": "MeResource is called ProfileResource since 0.2, and ends with 1.0",
    "resource": "me is called profile since 0.2, and ends with 1.0",
    "field": "is_blocked is called is_shut_out since 0.2, and ends with 1.0",
    "method": "mark_read is called note_read since 0.2, and ends with 1.0",
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    tree = plant(tmp_path_factory.mktemp("tree"))
    path = tree.path / "spec" / "openapi.yaml"
    text = path.read_text("utf-8")
    for old, new in CHANGES:
        assert old in text, old
        text = text.replace(old, new, 1)
    path.write_text(text, "utf-8")
    tree.generate()
    return tree


def me() -> dict[str, Any]:
    """The example of the spec."""
    spec = yaml.safe_load((ROOT / "spec" / "openapi.yaml").read_text("utf-8"))
    example: dict[str, Any] = spec["components"]["schemas"]["Me"]["examples"][0]
    return example


def test_old_names_work_and_say_so(tree: Tree) -> None:
    read: dict[str, Any] = {"status": 204}
    shown: dict[str, Any] = {"status": 200, "json": me()}
    with ScriptServer([shown, shown, read, read, shown, read]) as server:
        printed = tree.python("-c", PROGRAM, server.base).splitlines()
    a_class = NOTICES["class"]
    assert printed == [
        str((True, [a_class])),
        str((True, ["Async" + a_class.replace("called ", "called Async")])),
        "(False, [])",
        str((False, [NOTICES["resource"], NOTICES["field"]])),
        "(None, [])",
        str((None, [NOTICES["method"]])),
        "False",
        str([NOTICES["resource"], NOTICES["field"], NOTICES["method"]]),
    ]
    assert [seen.path for seen in server.seen] == [
        *("/v1/me", "/v1/me"),
        *["/v1/conversations/c/read"] * 2,
        *("/v1/me", "/v1/conversations/c/read"),
    ]


def test_old_names_are_public_and_listed(tree: Tree) -> None:
    lines = (tree.path / "spec" / "surface.txt").read_text().splitlines()
    assert {
        "MeResource = ProfileResource",
        f"Poolse.me: ProfileResource  # deprecated: {NOTICES['resource']}",
        f"Me.is_blocked: bool  # deprecated: {NOTICES['field']}",
        "ConversationMessages.mark_read(self, "
        "message_id: str | UUID | Message | QuotedMessagePreview | MessageHandle, *, "
        "options: CallOptions | None=None)"
        f" -> None  # deprecated: {NOTICES['method']}",
    } <= set(lines)
    assert lines[1:] == sorted(lines[1:])
