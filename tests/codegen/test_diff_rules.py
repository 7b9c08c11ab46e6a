"""Each rule of the diff: what a change of the spec is told to mean, in words and in size."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from codegen.apidiff.compare import compare
from codegen.apidiff.report import Report, reached
from codegen.apidiff.rules import RULES, Verdict
from codegen.build_api import build
from codegen.package_symbols import Package, Symbol
from codegen.public_names import spec_symbols
from tests.codegen.tiny_spec import Shop, open_shop

pytestmark = pytest.mark.tools

CASES: Final[list[dict[str, Any]]] = yaml.safe_load(
    Path(__file__).with_name("changes.yaml").read_text("utf-8")
)


def edit(shop: Shop, pairs: list[list[str]], file: str) -> None:
    for old, new in pairs:
        shop.change(old, new, file)


def reported(tmp_path: Path, case: dict[str, Any]) -> Report:
    """What is told of the case: its base against its base with the changes."""
    if "code" in case:
        changes = compare(*(list(code_symbols(tmp_path, text)) for text in case["code"]))
        return Report(changes=changes, server="1.0.0", old=None, now=None)
    old, new = open_shop(tmp_path / "old"), open_shop(tmp_path / "new")
    file = case.get("in", "openapi.yaml")
    for shop in (old, new):
        edit(shop, case.get("base", []), file)
    edit(new, case["changes"], file)
    apis = [build(shop.spec) for shop in (old, new)]
    changes = compare(*map(spec_symbols, apis), is_same=apis[0] == apis[1])
    return Report(changes=changes, server=apis[1].version, old=None, now=None)


def code_symbols(folder: Path, text: str) -> Iterator[Symbol]:
    """The names of a module that somebody wrote."""
    names = {getattr(node, "name", "") or ast.unparse(node.target) for node in ast.parse(text).body}  # type: ignore[attr-defined]
    package = Package(folder, {"shop.py": text})
    return package.symbols({name: ("poolse.shop", name) for name in sorted(names)})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["title"])
def test_a_change_means(tmp_path: Path, case: dict[str, Any]) -> None:
    report = reported(tmp_path, case)
    told = [f"{c.rule.verdict} {c.kind}: {c.text}" for c in report.changes]
    assert told == case["told"]
    assert [c for c in report.changes if c.rule.verdict is Verdict.MAJOR and not c.advice] == []
    assert report.wire == case.get("wire", [])


def test_every_rule_is_shown() -> None:
    shown = {line.partition(" ")[2].partition(":")[0] for case in CASES for line in case["told"]}
    assert shown == set(RULES)


def test_what_a_class_inherits_is_neither_renamed_nor_gone() -> None:
    def talk(path: str) -> Symbol:
        return Symbol(path=path, kind="function", same="POST /v1/talk")

    old = [Symbol(path="Room", kind="class", traits={"base": ""}), talk("Room.talk()")]
    new = [
        Symbol(path="Place", kind="class", traits={"base": ""}),
        talk("Place.talk()"),
        Symbol(path="Room", kind="class", traits={"base": "Place"}),
    ]
    assert {change.kind for change in compare(old, new)} == {"added", "base on"}
    assert reached(
        [*new, Symbol(path="Poolse.room", kind="attribute", traits={"gives": "Room"})]
    ) == {
        "Poolse": "chat",
        "PoolseBackend": "backend",
        "Room": "chat.room",
        "Place": "chat.room",
    }
