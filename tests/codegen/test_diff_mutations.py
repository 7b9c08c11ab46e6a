# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
"""Each attribute of each node of the API, changed in turn: the diff says something of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, get_args, get_type_hints

import attrs
import pytest

from codegen.apidiff.compare import compare
from codegen.build_api import build
from codegen.ir import Api
from codegen.kinds import TypeRef
from codegen.public_names import spec_symbols
from tests.architecture.tree import ROOT

pytestmark = pytest.mark.tools

PRIVATE: Final = "a private name of the generated code"
DERIVED: Final = "follows from what is compared: "
WITHIN: Final = "which field of a request or response the client uses for it; that is in the types"
LOOKED_UP: Final = "how a parameter is looked up; that parameter itself is compared"
UNSEEN: Final = {
    "Api.version": "is in each line on servers; no change by itself",
    "Resource.address": f"{DERIVED}the attributes that lead to it",
    "Resource.attribute": f"{DERIVED}the attributes that lead to it",
    "Resource.parent": f"{DERIVED}the attributes that lead to it",
    "Resource.binds": "the name of a path value: nobody types it",
    "Resource.bound": "names of path values: nobody types them",
    "Resource.id": f"{DERIVED}the IDs that parameters take",
    "Resource.handle": f"{DERIVED}the class of the handle",
    "Resource.handle_id": f"{DERIVED}what the handle takes",
    "Resource.hidden": f"{DERIVED}the names of its methods",
    "Operation.const": PRIVATE,
    "Operation.path_argument": f"{DERIVED}path and parameters",
    "Operation.read": f"{DERIVED}the result",
    "Operation.generate": f"{DERIVED}the parameters",
    "Param.is_one_of_many": f"{DERIVED}the method that it belongs to",
    "Request.is_passed": PRIVATE,
    "Field.essential": f"{DERIVED}name and requiredness",
    "Model.item": f"{DERIVED}the base",
    "Model.reader": PRIVATE,
    "Enum.reader": PRIVATE,
    "Paging.const": PRIVATE,
    "Paging.page": f"{DERIVED}the result of the method that it pages",
    "Paging.items": WITHIN,
    "Paging.by": WITHIN,
    "Paging.next": WITHIN,
    "Follow.key": "the name of a path value: nobody types it",
    "Upload.const": PRIVATE,
    "Upload.answer": f"{DERIVED}the result of the method that it begins with",
    "Upload.target": WITHIN,
    "Upload.result": WITHIN,
    "Upload.content_type": WITHIN,
    "Upload.size": WITHIN,
    "Upload.filename": WITHIN,
    "Download.const": PRIVATE,
    "Download.answer": f"{DERIVED}the result of the method that it begins with",
    "Download.url": WITHIN,
    "Download.row": f"{DERIVED}the row of the handle",
    "Download.size": WITHIN,
    "Download.sha256": WITHIN,
    "Event.const": PRIVATE,
    "Event.reader": PRIVATE,
    "Channel.const": PRIVATE,
    "Errors.code": WITHIN,
    "Errors.message": WITHIN,
    "Errors.details": WITHIN,
    "Errors.doc_url": WITHIN,
    "Lifted.items": WITHIN,
    "Lifted.type": "of an event: the keys of its dict are str; that of a model is seen",
    "Operation.secrets": "which values are hidden in logs and captures",
    "Translation.const": PRIVATE,
    "Translation.target": LOOKED_UP,
    "Translation.is_needed": LOOKED_UP,
    "Translation.is_list": LOOKED_UP,
    "Translation.method": LOOKED_UP,
    "Translation.page": LOOKED_UP,
    "Translation.items": LOOKED_UP,
    "Translation.wanted": LOOKED_UP,
    "Deprecation.until": f"{DERIVED}the notice",
}
"""Attributes that the diff says nothing of, and why."""


def changed(value: Any) -> Any:
    """Another value of the same kind; None where there is no telling."""
    match value:
        case bool():
            return not value
        case TypeRef():
            return TypeRef(kind="list", parts=(value,))
        case int():
            return value + 1
        case str():
            # The first word, so that a type stays one.
            return re.sub(r"\w+", lambda word: f"{word[0]}x", value, count=1) if value else "x"
        case tuple() if value and isinstance(value[-1], tuple):
            return (*value[:-1], (value[-1][0], changed(value[-1][1])))
        case ():
            return (("maximum", 1),)
        case tuple() if isinstance(value[0], str | int):
            return (*value, "x")
        case _:
            return None


ONLY_WITH_OTHERS: Final = {
    "Operation.security": "one of the credentials, which are changed there",
    "Operation.is_former": "a method that is only an old name is built so",
    "Presence.state": "an event of the channel, which is changed there",
    "Presence.diff": "an event of the channel, which is changed there",
    "Event.model": "built of the event, but for its fields",
}
"""Attributes that cannot change alone."""


def mutants(node: Any) -> Iterator[tuple[str, Any]]:
    """The node with one attribute changed: its own, or one of a node in it."""
    hints = get_type_hints(type(node))
    for field in attrs.fields(type(node)):
        name, value = f"{type(node).__name__}.{field.name}", getattr(node, field.name)
        if not field.eq or (value == () and any(map(attrs.has, get_args(hints[field.name])))):
            continue
        if name in ONLY_WITH_OTHERS or (name == "Param.wire" and node.where == "path"):
            continue
        if name == "Param.where" and node.translation:
            continue
        if attrs.has(type(value)) and not isinstance(value, TypeRef):
            for inner, mutant in mutants(value):
                yield inner, attrs.evolve(node, **{field.name: mutant})
        elif isinstance(value, tuple) and value and attrs.has(type(value[0])):
            yield name, attrs.evolve(node, **{field.name: value[1:]})
            for place, one in enumerate(value):
                for inner, mutant in mutants(one):
                    parts = (*value[:place], mutant, *value[place + 1 :])
                    yield inner, attrs.evolve(node, **{field.name: parts})
        elif changed(value) is not None:
            yield name, attrs.evolve(node, **{field.name: changed(value)})
    for inner, mutant in mutants_of_fields(node):
        yield inner, mutant


def mutants_of_fields(event: Any) -> Iterator[tuple[str, Any]]:
    """An event with other fields."""
    model: Any = getattr(event, "model", None)
    fields: tuple[Any, ...] = model.fields if model else ()
    for place, one in enumerate(fields):
        for name, mutant in mutants(one):
            others = (*fields[:place], mutant, *fields[place + 1 :])
            yield name, attrs.evolve(event, model=attrs.evolve(model, fields=others))


def parts(api: Api) -> Iterator[Api]:
    """The API cut into pieces that are quickly compared."""
    lists = {f.name for f in attrs.fields(Api) if isinstance(getattr(api, f.name), tuple)}
    nothing: dict[str, Any] = dict.fromkeys(lists, ())
    empty = attrs.evolve(api, **nothing)
    yield empty
    for name in sorted(lists):
        for one in getattr(api, name):
            only: dict[str, Any] = {name: (one,)}
            yield attrs.evolve(empty, **only)


def test_every_attribute_is_seen() -> None:
    unseen: set[str] = set()
    seen: set[str] = set()
    for api in parts(build(ROOT / "spec")):
        before = list(spec_symbols(api))
        for name, mutant in mutants(api):
            (seen if compare(before, spec_symbols(mutant)) else unseen).add(name)
    assert unseen - UNSEEN.keys() == set()
    assert UNSEEN.keys() - unseen == set()
    assert len(seen) > len(UNSEEN)
