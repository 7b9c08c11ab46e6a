"""The README is short, and the tables that people write say what the code says."""

from __future__ import annotations

import inspect
import re
import runpy
from collections.abc import Iterator

import attrs
import pytest

import poolse
from poolse import (
    CallOptions,
    ConversationChannel,
    ConversationMessages,
    Poolse,
    PoolseBackend,
    PoolseRealtime,
    Timeout,
    UsersResource,
    errors,
)
from poolse._rest.api_errors import BY_STATUS
from poolse.sandbox.spec import ASYNCAPI, document
from tests.architecture.tree import ROOT
from tests.docs.code_blocks import PAGES

README = (ROOT / "README.md").read_text("utf-8")
REPOSITORY = "https://github.com/poolse-hq/python-sdk/blob/main/"
TABLES = ("settings", "users", "realtime", "errors", "follow")
TEXT = "\n\n".join((ROOT / f"docs/{page}.md").read_text("utf-8") for page in TABLES)
TREE = re.compile(r"^([│├└─ ]*)(\w+) *(.*)$", re.MULTILINE)
DEFAULTS = {"http_client", "proxy", "ssl_context", "timeout", "generate_idempotency_key"}
"""Settings whose default the table puts in words."""


def test_the_readme_is_short_and_begins_with_python() -> None:
    assert len(README.encode()) <= 12_000
    assert "```python" in "\n".join(README.splitlines()[:30])


def table(head: str) -> dict[str, list[str]]:
    """The rows of a table by the code in their first cells, which may name several."""
    _, _, rest = TEXT.partition(f"| {head} |")
    rows = [line.strip("| ").split(" | ") for line in rest.split("\n\n")[0].splitlines()[2:]]
    names = {row[0]: re.findall(r"`(\w+)", row[0].split(" → ")[0]) for row in rows}
    return {name: row[1:] for row in rows for name in names[row[0]]}


def arguments(client: type) -> dict[str, object]:
    """The arguments of a constructor with their defaults."""
    found = inspect.signature(client).parameters
    return {name: one.default for name, one in found.items()}


def methods(owner: type) -> set[str]:
    """What users may call or read."""
    found = {name for name in dir(owner) if not name.startswith("_") and name != "TYPE"}
    ours = {
        name for name in found if "library's own" in (inspect.getdoc(getattr(owner, name)) or "")
    }
    return found - ours


def test_every_setting_is_documented() -> None:
    known = arguments(Poolse) | arguments(PoolseBackend)
    assert set(table("argument | default | meaning")) == set(known)


@pytest.mark.parametrize(
    ("name", "default"),
    [(n, d) for n, d in arguments(Poolse).items() if d is not None and n not in DEFAULTS],
)
def test_the_default_of_a_setting_is_documented(name: str, default: object) -> None:
    told = table("argument | default | meaning")[name][0].split(" ")[0]
    said = f"{default:g}" if isinstance(default, float) else str(default)
    assert told.strip("`").replace(",", "") == said


def test_the_timeouts_are_documented() -> None:
    told = {name: float(cells[0]) for name, cells in table("limit | default").items()}
    assert told == {field.name: getattr(Timeout(), field.name) for field in attrs.fields(Timeout)}


def test_the_options_of_a_call_are_documented() -> None:
    assert set(table("option | meaning")) == {field.name for field in attrs.fields(CallOptions)}


def test_the_methods_that_are_no_routes_are_documented() -> None:
    assert set(table("method | what it does")) == methods(UsersResource)
    # Who closes the client closes it, too.
    realtime = methods(PoolseRealtime) - {"close"}
    assert set(table("`chat.realtime` | what it does")) == realtime
    channel = set(table("every channel | what it does"))
    sent = [node["x-sdk"] for node in document(ASYNCAPI)["operations"].values()]
    own = {"presence_state", *(sdk["push"] for sdk in sent if "push" in sdk)}
    own |= {sdk["repeat"]["method"] for sdk in sent if "repeat" in sdk}
    there = {name for name in methods(ConversationChannel) if not name.startswith("on_")}
    assert channel - {"on_"} == there - own


def told_calls() -> list[tuple[str, list[str]]]:
    """Each call in the tables that people write, and the arguments that it takes there."""
    cells = re.findall(r"^\| (`[^|]+) \|", TEXT, re.MULTILINE)
    calls = re.findall(r"`([\w.]+)\(([^)]*)\)`", " ".join(cells))
    return [(name, re.findall(r"(?:^|, )(\w+)", taken)) for name, taken in calls]


@pytest.mark.parametrize(("name", "told"), told_calls())
def test_every_argument_of_a_call_is_documented(name: str, told: list[str]) -> None:
    owners = (ConversationMessages, Poolse, PoolseRealtime, ConversationChannel, UsersResource)
    prefixes = {"conversation.messages.": ConversationMessages, "chat.": Poolse}
    start, _, method = name.rpartition(".")
    chosen = [prefixes[f"{start}."]] if start else owners
    members = [getattr(one, method) for one in chosen if method in methods(one)]
    found = [one for one in members if callable(one)]
    # A class is called by its name.
    made = [getattr(poolse, method).__init__] if method[0].isupper() else []
    assert told in [list(inspect.signature(one).parameters)[1:] for one in (*found, *made)]


def families() -> Iterator[tuple[str, str, str]]:
    """Each error in the tree, with its parent and with what is said of it."""
    _, _, rest = TEXT.partition("## Error classes\n\n```text\n")
    parents: list[str] = []
    for before, name, said in TREE.findall(rest.split("```")[0]):
        depth = len(before) // 4
        parents[depth:] = [name]
        yield name, parents[depth - 1] if depth else "", said


def test_the_tree_of_errors_is_that_of_the_code() -> None:
    found = list(families())
    assert {name for name, _, _ in found} == set(errors.__all__)
    for name, parent, _ in found:
        bases = [base.__name__ for base in getattr(poolse, name).__bases__]
        assert (parent or "Exception") in bases


def test_the_status_of_an_error_is_documented() -> None:
    told = {name: said for name, _, said in families()}
    for status, kind in BY_STATUS.items():
        assert told[kind.__name__].startswith(str(status))


def test_every_public_name_is_in_the_api() -> None:
    with_lists = runpy.run_path(str(ROOT / "docs" / "api_lists.py"))["with_lists"]
    pages = "".join(
        with_lists(path.read_text("utf-8")) for path in (ROOT / "docs/api").glob("*.md")
    )
    documented = set(
        re.findall(r"^\.\. (?:auto\w+|data|py:class):: poolse\.(\w+)$", pages, re.MULTILINE)
    )
    assert documented == set(poolse.__all__)


def prose(page: str) -> str:
    """What is not code."""
    return re.sub(r"^ *```.*?^ *```$", "", (ROOT / page).read_text("utf-8"), flags=re.M | re.S)


def anchors(page: str) -> set[str]:
    """The anchors of a page, as GitHub and the site make them of its headings."""
    heads = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        within = link.removeprefix(REPOSITORY)
        path, _, anchor = within.partition("#")
        if "://" in within:
            continue
        folder = (ROOT / page).parent if within == link else ROOT
        target = (folder / path).resolve() if path else ROOT / page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.relative_to(ROOT).as_posix()), link


def test_the_readme_links_to_the_repository_only_by_address() -> None:
    """PyPI shows it, too, where a path leads nowhere."""
    assert [link for link in re.findall(r"\]\(([^)\s]+)\)", README) if "://" not in link] == []
