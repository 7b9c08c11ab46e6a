"""The generator knows no API: what this one is about comes from the spec alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

ROOT: Final = Path(__file__).parents[2]

SHARED: Final = {
    # HTTP, and what every API over it calls its failures.
    *("body", "code", "error", "headers", "method", "request", "response", "status", "url"),
    # What the grammar of x-sdk is about: credentials, and files that go to a place of their own
    # and come from there.
    *("token", "upload", "download", "target", "content_type", "byte_size"),
    # The values of an enum.
    *("member", "members"),
    # What the generator itself gives a meaning: a page holds `data`, a row is hashed by its `id`.
    *("data", "id", "list", "name", "type"),
    # What AsyncAPI calls the payloads of a channel.
    "messages",
    # Phoenix tracks who is there, by a state and its diffs.
    *("presence", "state", "diff"),
    # Python's own, and plain English.
    *("sequence", "start", "read", "removed", "added", "new"),
}
"""Words of the spec that are also words of the formats and tools that the generator is about."""

PHRASES: Final = (
    "from typing import",
    "typing_extensions",
    '"typing"',
    "error.message",
    "sha256",
    "_realtime.settings",
)
"""Modules and functions of Python, an attribute of jsonschema's errors, and one of our modules."""


def words(name: str) -> list[str]:
    """`someThing_else` as some, thing, else."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return [word.lower() for word in re.split(r"[^A-Za-z]+", spaced) if word]


def load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "spec" / name).read_text("utf-8"))
    return content


def names_of_things() -> Iterator[str]:
    """Resources, paths, schemas, channels, events."""
    rest, events = load("openapi.yaml"), load("asyncapi.yaml")
    yield from rest["x-sdk"]["resources"]
    yield from rest["paths"]
    yield from [*rest["components"]["schemas"], *events["components"]["schemas"]]
    yield from [*events["channels"], *events["operations"]]
    for payload in events["components"]["messages"].values():
        yield payload["name"]


def names_of_fields() -> Iterator[str]:
    for file in ("openapi.yaml", "asyncapi.yaml"):
        components = load(file)["components"]
        payloads = [payload["payload"] for payload in components.get("messages", {}).values()]
        for schema in [*components["schemas"].values(), *payloads]:
            yield from schema.get("properties", {})


@cache
def nouns() -> frozenset[str]:
    """Single words, and names of several words as they stand."""
    names = {*names_of_things(), *names_of_fields()}
    single = {word for name in names_of_things() for word in words(name)}
    single |= {name for name in names_of_fields() if len(words(name)) == 1}
    return frozenset(single | {name for name in names if len(words(name)) > 1}) - SHARED


def found_in(text: str) -> frozenset[str]:
    """The nouns that a text uses, as words of their own or inside a name."""
    for phrase in PHRASES:
        text = text.replace(phrase, "")
    used = {*words(text), *re.findall(r"[A-Za-z][A-Za-z0-9_:]+", text)}
    return nouns() & used


SOURCES: Final = sorted(
    path
    for path in (ROOT / "codegen").rglob("*")
    if path.suffix in (".py", ".jinja") and path.name != "print_sync.py"  # knows no spec
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_the_generator_uses_no_noun_of_the_spec(path: Path) -> None:
    assert found_in(path.read_text("utf-8")) == frozenset()


def test_the_nouns_are_those_of_the_api() -> None:
    assert nouns() >= {
        *("conversation", "conversations", "me", "message", "attachment", "typing", "mentions"),
        *("reactions", "presence_state", "conversation_id", "message:new", "typingStart"),
    }


@pytest.mark.parametrize(
    "line",
    [
        "def send_message(self): ...",
        "class ConversationMessages:",
        '"conversation_id"',
        "{% if op.name == 'me' %}",
        "# typing is special",
        'wire = "message:new"',
    ],
)
def test_a_noun_is_found_wherever_it_hides(line: str) -> None:
    assert found_in(line)
