"""The script of `codegen diff --codemod`: what it renames, and that programs are typed after it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.codegen.project_copy import Tree, plant

pytestmark = pytest.mark.tools

HERE: Final = Path(__file__).with_name("codemod")
PROGRAMS: Final = sorted(path.name.removesuffix(".txt") for path in HERE.glob("*.py.txt"))
WAS: Final = "since: '0.2', until: '1.0'"
EDITS: Final = (
    # ---- kept under their old names
    (
        "openapi.yaml",
        "        method: list_members\n",
        f"        method: members\n        was: [{{method: list_members, {WAS}}}]\n",
    ),
    (
        "openapi.yaml",
        "chat.conversations.one(conversation_id).list_members()",
        "chat.conversations.one(conversation_id).members()",
    ),
    (
        "openapi.yaml",
        "      enum: [owner, admin, member]\n",
        "      enum: [owner, admin, member]\n"
        f"      x-sdk: {{class: Role, was: [{{class: MemberRole, {WAS}}}]}}\n",
    ),
    (
        "asyncapi.yaml",
        "{callback: on_message}",
        f"{{callback: on_new_message, was: [{{callback: on_message, {WAS}}}]}}",
    ),
    # ---- renamed or moved at once
    (
        "openapi.yaml",
        "        resource: conversations(conversation_id).messages\n        method: mark_read\n",
        "        resource: conversations(conversation_id)\n        method: read_up_to\n",
    ),
    (
        "openapi.yaml",
        "conversations.one(conversation_id).messages.mark_read(message_id)",
        "conversations.one(conversation_id).read_up_to(message_id)",
    ),
    (
        "openapi.yaml",
        "        quoted_message_id: {type: string, format: uuid,",
        "        quoted_message_id: {x-sdk: {name: quotes}, type: string, format: uuid,",
    ),
    (
        "openapi.yaml",
        "        quoted_message_id: {type: [string, 'null'],",
        "        quoted_message_id: {x-sdk: {name: quotes}, type: [string, 'null'],",
    ),
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The project after the changes, the programs as they were, and the script."""
    tree = plant(tmp_path_factory.mktemp("codemod") / "tree", git=True)
    for file, old, new in EDITS:
        tree.replace(f"spec/{file}", old, new)
    tree.generate()
    tree.diff("--base", "start", "--codemod", "upgrade.py")
    for name in PROGRAMS:
        (tree.path / name).write_text((HERE / f"{name}.txt").read_text("utf-8"), "utf-8")
    return tree


def wrong(folder: Path) -> set[str]:
    """The lines that pyright refuses, of programs beside a package."""
    command = [
        str(Path(sys.executable).with_name("pyright")),
        "--pythonpath",
        sys.executable,
        *PROGRAMS,
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert re.search(r"\d+ errors?, ", done.stdout), done.stdout + done.stderr
    return {":".join(found) for found in re.findall(r"/(\w+\.py):(\d+):\d+ - error", done.stdout)}


def test_programs_are_typed_before_and_after(tree: Tree, tmp_path: Path) -> None:
    assert len(PROGRAMS) >= 6
    before = plant(tmp_path / "before")
    for name in PROGRAMS:
        (before.path / name).write_text((tree.path / name).read_text("utf-8"), "utf-8")
    assert wrong(before.path) == set()
    assert len(wrong(tree.path)) >= 6
    said = tree.python("upgrade.py", *PROGRAMS, expect=1).splitlines()
    left = {line for line in said if not line.endswith(": changed")}
    assert {line.split(": ")[0] for line in left} >= wrong(tree.path)
    moved = "`ConversationMessages.mark_read()` is `ConversationHandle.read_up_to()` now"
    assert sorted(left) == [
        f"answering.py:17: {moved}, which is reached in another way",
        'untyped.py:10: a name in a string: "quoted_message_id"',
        "untyped.py:9: if this is poolse's `mark_read`,"
        " it is `ConversationHandle.read_up_to()` now",
    ]
    assert [line for line in said if line.endswith(": changed")] == [
        "answering.py: changed",
        "backend.py: changed",
        "members.py: changed",
        "reader.py: changed",
        "untyped.py: changed",
    ]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "members.py",
            [
                "from poolse import ConversationHandle, Role, Membership, Poolse",
                "        return [one for one in self.handle.members() if one.role is Role.OWNER]",
                "    def promote(self, name: str) -> Role:",
                "        return self.handle.add_member(name, role=Role.ADMIN).role",
                "        self.handle.read_up_to(message_id=id)",
                '        self.chat.conversations.one(id).messages.send(body="read", quotes=id)',
            ],
        ),
        (
            "answering.py",
            [
                "        live.on_new_message(lambda event: print(event.body))",
                "                    sent = await messages.send(body=text, quotes=event.id)",
            ],
        ),
        ("reader.py", ['    quoted = " (quotes)" if message.quotes else ""']),
        ("backend.py", ['    request = MessageCreateRequest(body=text, quotes="m-1")']),
        ("backend.py", ['mailbox.mark_read("m-1")']),
    ],
)
def test_what_it_renames(tree: Tree, name: str, lines: list[str]) -> None:
    tree.python("upgrade.py", name, expect=None)
    assert set((tree.path / name).read_text("utf-8").splitlines()) >= set(lines)
