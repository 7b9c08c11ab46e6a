"""Names of public signatures can be imported and are documented; completion shows no others."""

from __future__ import annotations

import ast
import builtins
import collections.abc
import contextlib
import importlib
import inspect
import pickle
import sys
import tempfile
import types
import typing
from collections.abc import Iterator
from typing import Any, TypeVar
from unittest.mock import create_autospec

import jedi  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]
import pydantic
import pytest

import poolse
from poolse import (
    AsyncPoolse,
    AsyncPoolseBackend,
    ConversationCreateRequest,
    ConversationHandle,
    MessageCreateRequest,
    Poolse,
    PoolseBackend,
)
from tests.architecture.tree import ROOT

MODULES = (
    "poolse.cancel",
    "poolse.errors",
    "poolse.hooks",
    "poolse.options",
    "poolse.profiles",
    "poolse.progress",
    "poolse.stats",
    "poolse.types",
)
OTHERS = {
    *dir(builtins),
    *dir(collections.abc),
    *dir(contextlib),
    *dir(types),
    *dir(typing),
    *("Path", "UUID", "datetime", "httpx", "os", "ssl"),
}
"""Names of Python and of libraries."""

MADE_BY_USERS = {
    *("AsyncPoolse", "AsyncPoolseBackend", "Poolse", "PoolseBackend", "CallOptions", "Timeout"),
    *("CancelToken", "UserProfile", "Last", "Position", "Hooks"),
    *("MemoryCheckpoint", "SQLiteCheckpoint"),
}
"""Classes whose constructor is public too."""

SPECIAL = {
    "__call__",
    "__enter__",
    "__aenter__",
    "__iter__",
    "__next__",
    "__anext__",
    "__getitem__",
}


def public() -> set[str]:
    modules = [importlib.import_module(name) for name in MODULES]
    return set(poolse.__all__).union(*(module.__all__ for module in modules))


def functions(cls: type) -> Iterator[tuple[str, Any]]:
    """The public methods and properties of a class, with those that it inherits from ours."""
    for owner in cls.__mro__:
        if not owner.__module__.startswith("poolse"):
            continue
        for name, value in vars(owner).items():
            is_constructor = found_in(cls, "__init__") is owner and cls.__name__ in MADE_BY_USERS
            taken = SPECIAL | {"__init__"} if is_constructor else SPECIAL
            if name.startswith("_") and name not in taken:
                continue
            found: Any = value
            if isinstance(value, property):
                found = value.fget
            elif isinstance(value, classmethod | staticmethod):
                found = found.__func__
            if inspect.isfunction(found):
                yield f"{cls.__name__}.{name}", found


def found_in(cls: type, name: str) -> type:
    return next(owner for owner in cls.__mro__ if name in vars(owner))


def named_in(function: Any) -> Iterator[str]:
    """The names in its annotations, but for type variables, and the type of `self`."""
    module = vars(sys.modules[function.__module__])
    for parameter, annotation in function.__annotations__.items():
        if parameter != "self" and isinstance(annotation, str):
            for node in ast.walk(ast.parse(annotation, mode="eval")):
                if isinstance(node, ast.Name) and not is_variable(module.get(node.id)):
                    yield node.id


def is_variable(value: object) -> bool:
    return isinstance(value, TypeVar) or type(value).__name__ == "TypeVar"


def test_every_name_of_a_public_signature_can_be_imported() -> None:
    names = public() | OTHERS
    unknown: dict[str, str] = {}
    for exported in poolse.__all__:
        value = getattr(poolse, exported)
        found = functions(value) if isinstance(value, type) else iter([(exported, value)])
        for where, function in found:
            if inspect.isfunction(function):
                unknown |= {name: where for name in named_in(function) if name not in names}
    assert unknown == {}


NAMES = (
    *("After", "AsyncEvents", "AsyncGetToken", "AsyncHttpClient", "AsyncResolver", "Events"),
    *("GetToken", "HttpClient", "Page", "Payload", "RealtimeEvent", "Resolver", "Rest", "Row"),
    "TimeoutPhase",
)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_exported_and_documented(name: str) -> None:
    assert name in poolse.__all__
    assert getattr(poolse, name) is not None
    pages = "".join(page.read_text("utf-8") for page in (ROOT / "docs" / "api").glob("*.md"))
    assert f":: poolse.{name}\n" in pages


def test_every_type_for_annotations_is_documented() -> None:
    pages = "".join(page.read_text("utf-8") for page in (ROOT / "docs" / "api").glob("*.md"))
    types_ = importlib.import_module("poolse.types").__all__
    missing = [name for name in types_ if f"poolse.{name}\n" not in pages]
    assert [name for name in missing if f"poolse.types.{name}\n" not in pages] == []


def test_a_directory_of_the_package_lists_what_is_public() -> None:
    names = [name for name in dir(poolse) if not name.startswith("__")]
    assert set(names) == {*poolse.__all__, *(name.removeprefix("poolse.") for name in MODULES)}
    with pytest.raises(AttributeError):
        _ = poolse.NoSuchThing  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]


CODE = """
import poolse
from poolse import *

def use(chat: Poolse, other: AsyncPoolse, backend: PoolseBackend, item: Delivery, row: Message):
    live = chat.realtime.conversation("c-1")
    {}
"""
# One that two workers share may be read while it is written.
CACHE = tempfile.TemporaryDirectory()
jedi.settings.cache_directory = CACHE.name
JEDI: Any = jedi.get_default_environment()
"""Its process starts at its first use and lives as long as this one."""
jedi.Script("import poolse\npoolse.", environment=JEDI).complete(2, 7)  # pyright: ignore[reportUnknownMemberType]

INTERNAL = {
    "poolse.": {"import_module", "NAMES", "TYPE_CHECKING", "annotations", "bodies", "wiring"},
    "chat.": set[str](),
    "other.": set[str](),
    "backend.": set[str](),
    "chat.realtime.": {"hub", "is_over", "is_running"},
    "other.realtime.": {"hub", "is_over", "is_running"},
    "live.": {"TYPE"},
    "live.events().": set[str](),
    "item.": set[str](),
    "row.": set[str](),
    "chat.conversations.one('c-1').": set[str](),
    "chat.attachments.one('a-1').": set[str](),
    "Timeout().": {"for_files", "for_sockets"},
}


@pytest.mark.parametrize("typed", INTERNAL)
def test_completion_shows_nothing_internal(typed: str) -> None:
    code = CODE.format(typed)
    line = code.splitlines()[-1]
    script: Any = jedi.Script(code, environment=JEDI)
    found = script.complete(len(code.splitlines()), len(line))
    names = {str(one.name) for one in found if not str(one.name).startswith("_")}
    assert names, "it shows nothing at all"
    assert names & INTERNAL[typed] == set()


CLIENTS = [Poolse, AsyncPoolse, PoolseBackend, AsyncPoolseBackend]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_mock_of_a_client_has_what_the_client_has(client: Any) -> None:
    made = client(**({"token": "t"} if "Backend" not in client.__name__ else {"api_key": "k"}))
    mock = create_autospec(client)
    names = [name for name in dir(made) if not name.startswith("_")]
    assert [name for name in names if not hasattr(mock, name)] == []
    assert not hasattr(mock, "nothing")


def test_a_mock_of_a_handle_has_what_the_handle_has() -> None:
    mock = create_autospec(ConversationHandle)
    assert mock.messages is not None
    assert mock.id is not None


def test_requests_can_be_used_by_pydantic() -> None:
    class Body(pydantic.BaseModel):
        message: MessageCreateRequest
        conversation: ConversationCreateRequest

    given: Any = {"message": {"body": "x"}, "conversation": {"type": "group"}}
    body = Body.model_validate(given)
    assert body.message == {"body": "x"}
    with pytest.raises(pydantic.ValidationError, match=r"conversation\.type"):
        Body.model_validate({**given, "conversation": {}})
    assert pickle.loads(pickle.dumps(body.message)) == body.message
