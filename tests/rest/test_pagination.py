"""Walking over pages, on a scripted `RequestIO`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from poolse import ArgumentTypeError, DecodeError
from poolse._rest.arguments import an_integer
from poolse._rest.endpoint import Paging
from poolse._rest.http_messages import Response
from poolse._rest.pagination import Pages
from poolse._rest.request_io import run_sync
from poolse.types import Json
from tests.rest.scripted_io import LOOK, ScriptedIO, answer, io, settings


def paging(*, descending: bool) -> Paging[Json, int | None]:
    items: Callable[[Json], list[int | None]] = lambda page: page  # type: ignore[assignment,return-value]  # noqa: E731
    return Paging(
        endpoint=LOOK,
        items=items,
        cursor="at",
        by=lambda item: item,
        path="$[]",
        descending=descending,
    )


def walk(script: ScriptedIO, *, descending: bool = True, **query: object) -> list[int | None]:
    pages = Pages(io(script), settings(), paging(descending=descending), {}, query)
    found: list[int | None] = []
    while items := run_sync(pages.next()):
        found += items
    return found


def script_of(*bodies: bytes) -> ScriptedIO:
    answers: list[Response] = [answer(200, body) for body in bodies]
    return ScriptedIO(*answers, tokens=("t",))


def test_the_next_page_starts_at_the_end_of_the_last() -> None:
    script = script_of(b"[9, 8]", b"[5, 4]", b"[]")
    assert walk(script, limit=2) == [9, 8, 5, 4]
    assert [request.url.partition("?")[2] for request in script.sent] == [
        "limit=2", "limit=2&at=8", "limit=2&at=4",
    ]  # fmt: skip


def test_an_ascending_walk_continues_from_the_largest() -> None:
    script = script_of(b"[1, 3]", b"[7]", b"[]")
    assert walk(script, descending=False) == [1, 3, 7]
    assert script.sent[-1].url.endswith("at=7")


def test_a_short_page_is_not_the_end() -> None:
    assert walk(script_of(b"[9, 8]", b"[7]", b"[6, 5]", b"[]"), limit=2) == [9, 8, 7, 6, 5]


def test_a_server_that_repeats_itself_is_noticed() -> None:
    with pytest.raises(DecodeError, match="same page again"):
        walk(script_of(b"[9, 8]", b"[9, 8]", b"[9, 8]"))


def test_items_without_a_value_to_page_by_are_given_and_then_noticed() -> None:
    script = script_of(b"[9, 8]", b"[null, null]")
    pages = Pages(io(script), settings(), paging(descending=True), {}, {})
    assert run_sync(pages.next()) == [9, 8]
    assert run_sync(pages.next()) == [None, None]
    for _ in range(2):
        with pytest.raises(DecodeError, match="has no cursor"):
            run_sync(pages.next())
    assert len(script.sent) == 2


def test_iteration_from_a_cursor_continues_there() -> None:
    script = script_of(b"[5, 4]", b"[]")
    assert walk(script, limit=2, at=6) == [5, 4]
    assert [request.url.partition("?")[2] for request in script.sent] == [
        "limit=2&at=6", "limit=2&at=4",
    ]  # fmt: skip


def test_a_server_that_goes_back_over_the_start_of_the_walk_is_noticed() -> None:
    with pytest.raises(DecodeError, match="same page again: at stays at 5"):
        walk(script_of(b"[6, 5]"), at=5)


def test_wrong_arguments_are_refused_before_the_first_step() -> None:
    paged = paging(descending=True)
    paged = attrs.evolve(paged, endpoint=attrs.evolve(LOOK, takes={"limit": an_integer}))
    with pytest.raises(ArgumentTypeError, match="limit must be an int"):
        Pages(io(script_of()), settings(), paged, {}, {"limit": "2"})


def pages_that_say_next(script: ScriptedIO) -> list[int]:
    by_cursor: Paging[Any, int] = Paging(
        endpoint=LOOK,
        items=lambda page: page["items"],
        cursor="cursor",
        next=lambda page: page.get("next"),
        path="$.next",
    )
    pages = Pages(io(script), settings(), by_cursor, {}, {})
    found: list[int] = []
    while items := run_sync(pages.next()):
        found += items
    return found


def test_pages_that_say_what_comes_next_are_followed_over_empty_ones() -> None:
    script = script_of(
        b'{"items": [1, 2], "next": "b"}', b'{"items": [], "next": "c"}', b'{"items": [3]}'
    )
    assert pages_that_say_next(script) == [1, 2, 3]
    assert [request.url.partition("?")[2] for request in script.sent] == [
        "", "cursor=b", "cursor=c",
    ]  # fmt: skip


@pytest.mark.parametrize("last", [b'{"items": [3], "next": null}', b'{"items": [3], "next": ""}'])
def test_a_page_without_a_next_one_is_the_last(last: bytes) -> None:
    assert pages_that_say_next(script_of(last)) == [3]


def test_a_page_that_leads_to_itself_is_noticed() -> None:
    with pytest.raises(DecodeError, match="cursor of this page again"):
        pages_that_say_next(script_of(*[b'{"items": [1], "next": "b"}'] * 3))
