"""Sync and async have the same names, parameters, defaults and docs."""

from __future__ import annotations

import inspect
import re

import pytest

import poolse
from poolse.rest import AsyncRest, Rest

# An async client is closed with `aclose`, as everywhere in the asyncio world.
RENAMED = {"aclose": "close"}


def is_ours(value: object) -> bool:
    """Whether it is a class of the library; some names are types for annotations."""
    return inspect.isclass(value) and value.__module__.startswith("poolse")


PAIRS: list[tuple[type, type]] = [
    (getattr(poolse, name.removeprefix("Async")), getattr(poolse, name))
    for name in poolse.__all__
    if name.startswith("Async") and is_ours(getattr(poolse, name))
]
PAIRS.append((Rest, AsyncRest))


def members(cls: type) -> dict[str, object]:
    return {
        RENAMED.get(name, name): inspect.getattr_static(cls, name)
        for name in dir(cls)
        if not name.startswith("_")
    }


def shape(member: object) -> object:
    """What a caller can see of a method: parameters, kinds and defaults; else what kind it is."""
    if not inspect.isfunction(member):
        return type(member).__name__
    return arguments(inspect.signature(member))


def arguments(signature: inspect.Signature) -> list[tuple[str, str, str]]:
    return [
        (parameter.name, parameter.kind.name, repr(parameter.default))
        for parameter in signature.parameters.values()
    ]


def doc(member: object) -> str:
    """The docstring, with the words left out that only async has."""
    text = inspect.getdoc(member) or ""
    text = re.sub(r"\b(await|async) ", "", text)
    return re.sub(r"\bAsync(?=[A-Z])|\ba(?=close\b|synchronous)", "", text)


def test_every_async_class_has_a_sync_one() -> None:
    assert PAIRS
    assert all(isinstance(cls, type) for pair in PAIRS for cls in pair)


@pytest.mark.parametrize(("sync", "aio"), PAIRS, ids=[pair[0].__name__ for pair in PAIRS])
def test_both_have_the_same_members(sync: type, aio: type) -> None:
    assert members(sync).keys() == members(aio).keys()


@pytest.mark.parametrize(("sync", "aio"), PAIRS, ids=[pair[0].__name__ for pair in PAIRS])
def test_both_take_the_same_arguments(sync: type, aio: type) -> None:
    ours, theirs = members(sync), members(aio)
    assert {name: shape(ours[name]) for name in ours} == {
        name: shape(theirs[name]) for name in theirs
    }
    assert arguments(inspect.signature(sync)) == arguments(inspect.signature(aio))


@pytest.mark.parametrize(("sync", "aio"), PAIRS, ids=[pair[0].__name__ for pair in PAIRS])
def test_both_have_the_same_docs(sync: type, aio: type) -> None:
    ours, theirs = members(sync), members(aio)
    assert {name: doc(ours[name]) for name in ours} == {name: doc(theirs[name]) for name in theirs}
