"""What an endpoint with a rule, a field and an event costs besides the spec: four files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.codegen.apply_hunks import apply
from tests.codegen.project_copy import Tree, plant
from tests.codegen.test_spec_readme import EXAMPLES

FIELD: Final = """\
--- spec/openapi.yaml
@@
         member_limit: {type: [integer, 'null'], description: Maximum number of members.}
+        archived_at: {type: [string, 'null'], format: date-time, description: Archival time.}
"""
SANDBOX: Final = (
    """\
--- poolse/sandbox/routes.py
@@
     Endpoint(_CONVERSATION, "PATCH", "user", conversations.update_conversation),
+    Endpoint(f"{_CONVERSATION}/archive", "POST", "user", conversations.archive_conversation),
""",
    """\
--- poolse/sandbox/api/conversations.py
@@
+def archive_conversation(store: Store, call: Call) -> Result:
+    row, membership = conversation_of(store, call)
+    rules.check_archive(membership)
+    row = store.archive(str(row["id"]))
+    return Result(200, row, (Event(f"conversation:{row['id']}", "conversation:archived", row),))
+
+
 def update_conversation(store: Store, call: Call) -> Result:
""",
    """\
--- poolse/sandbox/rules.py
@@
+def check_archive(membership: JsonObject) -> None:
+    if membership["role"] not in _STAFF:
+        raise ApiRefusal("forbidden", "only owners and admins may archive a conversation")
+
+
 def check_delete(message: JsonObject, membership: JsonObject) -> None:
""",
    """\
--- poolse/sandbox/store/conversations.py
@@
             last_sequence INTEGER NOT NULL DEFAULT 0,
+            archived_at TEXT,
@@
+    def archive(self, conversation_id: str) -> JsonObject:
+        return self.change_conversation(conversation_id, {"archived_at": self._now()})
+
     def members(self, conversation_id: str) -> frozenset[str]:
""",
)
PROGRAM: Final = """
from poolse import ApiError, Archived, Poolse
from poolse.sandbox.response_validation import watch
from poolse.testing import Sandbox

breaches = []
with watch(breaches.append), Sandbox() as sandbox:
    url = {"api_url": sandbox.url, "ws_url": sandbox.ws_url}
    with Poolse(token=sandbox.token("alice"), **url) as alice:
        with Poolse(token=sandbox.token("bob"), **url) as bob:
            talk = alice.conversations.create(type="group", member_external_ids=["bob"])
            live = bob.realtime.conversation(talk.id)
            live.wait_joined()
            events = live.events(timeout=10)
            try:
                bob.conversations.one(talk.id).archive()
            except ApiError as error:
                print(error.code)
            row = alice.conversations.one(talk.id).archive()
            heard = next(event for event in events if type(event) is Archived)
            print(heard.id == row.id, heard.archived_at == row.archived_at != None)
print(breaches)
"""


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """The project with one endpoint, one event and one field more in its spec."""
    tree = plant(tmp_path / "tree", git=True)
    for change in (*(example.change for example in EXAMPLES[:2]), FIELD):
        apply(tree.path, change)
    tree.generate()
    tree.commit("generated")
    return tree


def test_the_sandbox_follows_with_four_files(tree: Tree) -> None:
    for change in SANDBOX:
        apply(tree.path, change)
    touched = [line[3:] for line in tree.git("status", "--short").splitlines()]
    assert all(path.startswith("poolse/sandbox/") for path in touched)
    assert len(touched) == 4
    assert tree.python("-c", PROGRAM).splitlines() == ["forbidden", "True True", "[]"]
