"""What users and we install: floors that are tested, pins for CI, and a list of undocumented API.

The list is the table of docs/contributing/undocumented.md. A cap needs a row there.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import attrs
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.tree import ROOT, functions, hand_written, name_of
from tests.package.environments import LOCK, locked

PINNED: Final = re.compile(r"[a-z0-9-]+==[\w.]+( ; .+)?")
NAMED: Final = re.compile(r"`([\w/]+\.py)::(\w+)`")
CODE: Final = re.compile(r"`([^`]+)`")
LINK: Final = re.compile(r"\]\(https://github\.com/[\w.-]+/[\w.-]+/(issues|pull)/\d+\)")

DOCUMENTED: Final = {
    "aiohttp.abc.AbstractResolver",
    "click.Group",
    "httpcore.AsyncNetworkBackend",
    "httpcore.NetworkBackend",
    "httpcore.NetworkStream",
    "httpx.AsyncBaseTransport",
    "httpx.AsyncByteStream",
    "httpx.BaseTransport",
    "httpx.SyncByteStream",
    "starlette.responses.Response",
    "rich.console.Console",  # its docstrings offer `on_broken_pipe` to subclasses
}
"""Classes that their libraries offer for subclassing."""

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
EXTRAS: Mapping[str, list[str]] = PYPROJECT["project"]["optional-dependencies"]


@attrs.frozen
class Use:
    """A row of the table."""

    what: str
    where: tuple[str, ...]
    issue: str
    tests: tuple[tuple[str, str], ...]
    cap: str | None


def uses() -> list[Use]:
    """The rows of the table."""
    text = (ROOT / "docs/contributing/undocumented.md").read_text("utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [
        Use(
            what,
            tuple(CODE.findall(where)),
            issue,
            tuple(NAMED.findall(tests)),
            None if cap == "none" else cap.strip("`"),
        )
        for what, _, where, issue, tests, cap in rows[2:]
    ]


def too_strict(requirements: list[str], caps: set[str]) -> list[str]:
    """Those that are no floor, or have a cap that is not in the table."""

    def is_fine(requirement: Requirement) -> bool:
        floors = [one for one in requirement.specifier if one.operator == ">="]
        others = [one for one in requirement.specifier if one.operator != ">="]
        return len(floors) == 1 and {f"{requirement.name}{one}" for one in others} <= caps

    return [text for text in requirements if not is_fine(Requirement(text))]


def of_users() -> list[str]:
    project: list[str] = PYPROJECT["project"]["dependencies"]
    return [*project, *EXTRAS["sandbox"], *EXTRAS["cli"]]


def test_no_dependency_has_a_cap() -> None:
    assert too_strict(of_users(), {use.cap for use in uses() if use.cap}) == []


def test_a_cap_of_the_table_is_one_of_ours() -> None:
    requirements = map(Requirement, of_users())
    ours = {f"{one.name}{cap}" for one in requirements for cap in one.specifier}
    capped = [use for use in uses() if use.cap]
    assert [use.cap for use in capped if use.cap not in ours] == []
    assert [use.what for use in capped if not LINK.search(use.issue)] == []


@pytest.mark.parametrize(
    ("text", "caps", "allowed"),
    [
        ("httpx>=0.28", set[str](), True),
        ("uvloop>=0.21; sys_platform != 'win32'", set[str](), True),
        ("httpx>=0.28,<1", set[str](), False),
        ("httpx>=0.28,<1", {"httpx<1"}, True),
        ("httpx>=0.28,<1", {"websockets<1"}, False),
        ("httpx==0.28", set[str](), False),
        ("httpx~=0.28", set[str](), False),
        ("httpx", set[str](), False),
    ],
)
def test_what_is_a_cap(text: str, caps: set[str], allowed: bool) -> None:
    assert (too_strict([text], caps) == []) is allowed


def test_everything_we_install_is_pinned_in_one_place() -> None:
    ours = [text for extra in EXTRAS.values() for text in extra]
    ours += [*PYPROJECT["project"]["dependencies"], *PYPROJECT["dependency-groups"]["elsewhere"]]
    ours += PYPROJECT["build-system"]["requires"]
    ours = [text for text in ours if Requirement(text).name != "poolse"]
    assert too_strict(ours, {use.cap for use in uses() if use.cap}) == []
    missing = {canonicalize_name(Requirement(text).name) for text in ours} - locked().keys()
    assert missing == set(), "make lock writes them"


def test_the_lock_is_good_for_every_machine() -> None:
    lines = LOCK.read_text("utf-8").splitlines()
    assert [line for line in lines if not PINNED.fullmatch(line)] == []
    for line in lines:
        Requirement(line)


@pytest.mark.parametrize("use", uses(), ids=lambda use: use.what)
def test_an_undocumented_use_is_there_and_tested(use: Use) -> None:
    words = [word for code in CODE.findall(use.what) for word in re.findall(r"\w+", code)]
    for name in use.where:
        source = (ROOT / name).read_text("utf-8")
        assert [word for word in words if word in source], f"{name} uses none of {words}"
    assert use.where
    assert use.tests
    for file, test in use.tests:
        tree = ast.parse((ROOT / "tests" / file).read_text("utf-8"))
        assert test in {function.name for function in functions(tree)}, file


def imported(tree: ast.Module) -> dict[str, str]:
    """What a file calls the things that it imports from other distributions."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                top = one.name.partition(".")[0]
                names[one.asname or top] = one.name if one.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    strange = sys.stdlib_module_names | {"poolse"}
    return {name: full for name, full in names.items() if full.partition(".")[0] not in strange}


def internals(path: Path) -> Iterator[str]:
    """Full names of what a file takes from a library that the library does not offer."""
    tree = ast.parse(path.read_text("utf-8"))
    names = imported(tree)
    yield from (full for full in names.values() if "._" in full)
    for node in ast.walk(tree):
        parts = node.bases if isinstance(node, ast.ClassDef) else []
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            parts = [] if node.attr.endswith("__") else [node]
        for part in parts:
            root, dot, rest = ast.unparse(part).partition("[")[0].partition(".")
            if root in names:
                yield names[root] + dot + rest


def test_what_is_taken_from_the_inside_of_a_library_is_in_the_table() -> None:
    known = [(set(use.where), set(re.findall(r"\w+", use.what))) for use in uses()]
    for path in hand_written("poolse"):
        name = name_of(path)
        words = {word for where, named in known if name in where for word in named}
        found = {full for full in internals(path) if full not in DOCUMENTED}
        assert {full for full in found if full.rpartition(".")[2] not in words} == set(), name


def test_internals_are_found(tmp_path: Path) -> None:
    path = tmp_path / "it.py"
    path.write_text(
        "import os, httpx, aiohttp.abc\nfrom httpx._config import Limits\n"
        "from websockets.asyncio.client import connect as opened\n"
        "class A(opened): ...\nclass B(aiohttp.abc.AbstractResolver): ...\n"
        "class C(Exception): ...\n"
        "httpx._main.run()\nos._exit\nself._session\n"
    )
    assert set(internals(path)) == {
        "aiohttp.abc.AbstractResolver",
        "httpx._config.Limits",
        "httpx._main",
        "websockets.asyncio.client.connect",
    }
