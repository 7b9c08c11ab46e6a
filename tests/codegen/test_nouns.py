"""No noun of our API is special: one that is called otherwise gets the same code.

All nouns of the spec are renamed, the code is generated, and the nouns are renamed back. What comes
out must be the code of our spec: neither the generator nor its templates know a name of ours.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from codegen.build_api import build
from codegen.render import render, render_factories
from tests.codegen.renamed_spec import Nouns

pytestmark = pytest.mark.tools

SPEC: Final = Path(__file__).parents[2] / "spec"
OWN: Final = {
    # ---- parameters of uploads, downloads and feeds, whatever a spec calls its fields
    "after",
    "body",
    "byte_size",
    "content_type",
    # ---- what the core calls its parts: `ErrorPaths`, `Download`, `ChannelType`, `Transfers`
    "code",
    "details",
    "doc_url",
    "download",
    "follow",
    "message",
    "sha256",
    "topic",
    "upload",
    "upload_many",
    # ---- Python's own
    "list",
    "type",
}
"""Words of the library that our spec has too. They mean the same in the code of any spec."""


def generated(folder: Path) -> dict[str, str]:
    """Return all that is generated for a spec."""
    api = build(folder)
    return {**render(api), "factories.py": render_factories(api)}


@pytest.fixture(scope="module")
def nouns() -> Nouns:
    return Nouns(SPEC)


@pytest.fixture(scope="module")
def renamed(nouns: Nouns, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The code of the spec with other nouns."""
    folder = tmp_path_factory.mktemp("renamed") / "spec"
    nouns.write(folder)
    return generated(folder)


@pytest.fixture(scope="module")
def ours() -> dict[str, str]:
    return generated(SPEC)


def in_order(text: str) -> str:
    """Return the syntax tree of a module as text, without the order of what is sorted by name."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            node.names.sort(key=ast.dump)
    for node in tree.body:
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if isinstance(value, ast.List):
            value.elts.sort(key=ast.dump)
        elif isinstance(value, ast.Dict):
            pairs = zip(value.keys, value.values, strict=True)
            value.keys = [ast.Tuple([key or ast.Constant(None), one]) for key, one in pairs]
            value.keys.sort(key=lambda pair: ast.dump(pair) if pair else "")
            value.values = []
    tree.body.sort(key=ast.dump)
    return ast.dump(tree, indent=1)


def words_of(text: str) -> Iterator[str]:
    """Yield the names that stand in the code of a module."""
    for node in ast.walk(ast.parse(text)):
        for attribute in ("id", "attr", "arg", "name"):
            yield str(getattr(node, attribute, ""))


def test_the_same_code_is_generated(
    nouns: Nouns, ours: dict[str, str], renamed: dict[str, str]
) -> None:
    assert renamed.keys() == ours.keys()
    for name, text in ours.items():
        assert in_order(nouns.original(renamed[name])) == in_order(text), name


def test_no_noun_of_ours_is_in_the_code_of_another_spec(
    nouns: Nouns, renamed: dict[str, str]
) -> None:
    assert {"Message", "conversation_id", "sequence", "on_message", "users"} <= nouns.names
    # The lists of public names have those of the library, too.
    texts = (text for name, text in renamed.items() if name not in ("names.py", "public.py"))
    assert {word for text in texts for word in words_of(text)} & nouns.names == OWN
