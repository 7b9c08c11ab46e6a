"""The tables of README.md: filled from the spec, and watched for drift. The prose is not theirs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from codegen.build import build
from codegen.check import checked
from codegen.readme_tables import tables
from codegen.render import render
from tests.codegen.project_copy import ROOT, Tree, plant

pytestmark = pytest.mark.tools

README = "README.md"
MARKED = "<!-- generated: {} -->\nwhatever is here\n<!-- end -->\n"


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    """All tables of the spec as it is."""
    api = build(checked(ROOT / "spec"))
    return tables(api, render(api))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return plant(tmp_path_factory.mktemp("pages"))


def write(tree: Tree, text: str) -> Path:
    page = tree.path / README
    page.write_text(text, "utf-8")
    return page


def test_a_page_is_filled_where_it_asks_for_it(tree: Tree, made: dict[str, str]) -> None:
    page = write(tree, f"Before.\n\n{MARKED.format('enums')}\nAfter.\n")
    assert (
        tree.python("-m", "codegen", "--check", expect=1).strip().endswith(f"{README}: differing")
    )
    assert tree.generate() == [f"wrote {README}"]
    assert page.read_text("utf-8") == (
        f"Before.\n\n<!-- generated: enums -->\n\n{made['enums']}\n<!-- end -->\n\nAfter.\n"
    )
    assert tree.generate() == []


def test_an_edit_between_the_marks_is_drift_and_one_beside_is_none(tree: Tree) -> None:
    page = write(tree, MARKED.format("models"))
    tree.generate()
    page.write_text("More words.\n\n" + page.read_text("utf-8"), "utf-8")
    tree.python("-m", "codegen", "--check")
    tree.replace(README, "`Me`", "`You`")
    assert README in tree.python("-m", "codegen", "--check", expect=1)


def test_a_table_that_there_is_not_is_said_with_its_line(tree: Tree) -> None:
    write(tree, "\n\n" + MARKED.format("model"))
    said = tree.python("-m", "codegen", expect=1)
    assert "README.md:3:1: there is no table 'model'. Did you mean 'models'?" in said


def test_our_own_page_has_every_table(made: dict[str, str]) -> None:
    asked = re.findall(r"<!-- generated: (.+) -->", (ROOT / README).read_text("utf-8"))
    # All that a table of this one says is said in a sentence.
    assert set(made) - set(asked) == {"methods of MessagesResource"}


@pytest.mark.parametrize(
    ("name", "row"),
    [
        (
            "methods of ConversationMessages",
            "| `mark_read(message_id)` | `POST /v1/conversations/{conversation_id}/read` |",
        ),
        ("methods of AttachmentHandle", "| `download(to=, on_progress=, max_bytes=)` → `bytes`,"),
        ("methods of BackendUsers", "| `create(external_id=…, display_name=, custom_data=)` →"),
        ("events of ConversationChannel", "| `typing:start` | `on_typing_start` | `TypingStart` |"),
        ("models", "`display_name` str?, `custom_data` dict[str, Any], `is_blocked` bool,"),
        ("enums", "| `MemberRole` | `owner`, `admin`, `member` |"),
        ("error codes", "| `attachment_too_large` | `AttachmentsResource.request_upload` |"),
        ("error codes", "| `rate_limited` | any call |"),
    ],
)
def test_a_row(made: dict[str, str], name: str, row: str) -> None:
    assert row in made[name]
