"""The examples of spec/README.md: applied one after the other, generated, and told as it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs
import pytest

from tests.codegen.apply_hunks import apply
from tests.codegen.project_copy import ROOT, Tree, plant

pytestmark = pytest.mark.tools

README: Final = (ROOT / "spec" / "README.md").read_text("utf-8")
BLOCK: Final = re.compile(r"```diff\n(.*?)```\n\n```text\n(.*?)```", re.DOTALL)

GENERATED: Final = (
    "poolse/_generated/",
    "poolse/sandbox/",
    "poolse/testing/factories.py",
    "spec/surface",
)


@attrs.frozen
class Example:
    """A change, and what is told of it."""

    title: str
    change: str
    told: list[str]


def examples() -> Iterator[Example]:
    for section in README.split("\n### ")[1:]:
        for found in BLOCK.finditer(section):
            yield Example(section.partition("\n")[0], found[1], found[2].splitlines())


EXAMPLES: Final = list(examples())


def told(tree: Tree) -> list[str]:
    """Each change, without its lines and columns, and without declarations."""
    lines = tree.diff("--base", "before").partition("verdict: ")[0].splitlines()
    said = [line for line in lines if not line.startswith(("    - ", "    + "))]
    return [re.sub(r":\d+:\d+: ", ":…: ", line) for line in said]


def test_they_are_those_of_the_issue() -> None:
    assert [example.title for example in EXAMPLES] == [
        "Add an endpoint",
        "Add an event",
        "Add a field",
        "Rename a method",
        *("Remove a method", "Remove a method"),
    ]


@pytest.mark.parametrize(
    "number", range(len(EXAMPLES)), ids=[example.title for example in EXAMPLES]
)
def test_an_example_does_what_it_says(tmp_path: Path, number: int) -> None:
    tree = plant(tmp_path / "tree", git=True)
    for example in EXAMPLES[:number]:
        apply(tree.path, example.change)
    tree.generate()
    tree.commit("before")
    apply(tree.path, EXAMPLES[number].change)
    written = tree.generate()
    assert told(tree) == EXAMPLES[number].told
    assert all(line.startswith(tuple(f"wrote {place}" for place in GENERATED)) for line in written)
    assert tree.python("-m", "codegen", "--check") == ""


def test_all_of_them_together_work(tmp_path: Path) -> None:
    tree = plant(tmp_path / "tree")
    for example in EXAMPLES:
        apply(tree.path, example.change)
    tree.generate()
    program = (
        "import poolse; from poolse import Archived, AsyncConversationHandle, ConversationHandle;"
        "print(ConversationHandle.archive.__doc__, AsyncConversationHandle.archive.__name__);"
        "print(hasattr(poolse.AttachmentHandle, 'delete'), hasattr(poolse.ConversationChannel,"
        " 'on_archived'), poolse.ConversationMessages.mark_read.__deprecated__)"
    )
    printed = tree.python("-c", program)
    assert printed.startswith("Archive the conversation.\n")
    assert "New in 0.2." in printed
    assert printed.endswith(
        "False True mark_read is called read_up_to since 0.2, and ends with 1.0\n"
    )
