"""What may come alone or in a list, and what may not be there at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from poolse._json.parsing import Mismatch, list_of, one_of, string
from poolse._rest.arguments import a_list_of, a_string, any_of
from poolse._rest.request import check_arguments
from poolse.errors import ArgumentTypeError
from tests.codegen.source_pieces import piece
from tests.codegen.tiny_spec import Shop, open_shop

CHOICE = "oneOf: [{type: string}, {type: array, items: {type: string}}]"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return open_shop(tmp_path)


@pytest.mark.parametrize(
    ("choice", "type_"),
    [
        (CHOICE, "str | list[str] | None"),
        (CHOICE.replace("}]", "}, {type: 'null'}]"), "str | list[str] | None"),
        ("oneOf: [{type: array, items: {type: string}}, {type: string}]", "list[str] | str | None"),
        ("type: [string, array], items: {type: string}", "str | list[str] | None"),
        ("type: [array, string, 'null'], items: {type: string}", "list[str] | str | None"),
    ],
)
def test_a_field_that_is_one_or_many(shop: Shop, choice: str, type_: str) -> None:
    shop.change("bought_at: {type: string, format: date-time}", f"authors: {{{choice}}}")
    assert shop.run() == 0
    assert f"authors: {type_} = None" in piece(shop, "models.py", "Book")
    readers = shop.text("readers.py")
    assert "_book_read_authors: Final = one_of(" in readers
    assert "str: string" in readers
    assert "list: list_of(string)" in readers


def test_a_field_that_is_always_one_or_many(shop: Shop) -> None:
    shop.change("title: {type: [string, 'null'], description: Its title.}", f"title: {{{CHOICE}}}")
    assert shop.run() == 0
    assert "    title: str | list[str]\n" in piece(shop, "models.py", "Book")


def test_a_parameter_that_is_one_or_many(shop: Shop) -> None:
    shop.change("tags: {type: array, items: {type: string}, ", f"tags: {{{CHOICE}, ")
    assert shop.run() == 0
    assert "tags: str | Sequence[str] | Unset=UNSET" in piece(
        shop, "resources.py", "ShelfBooks.add"
    )
    assert "'tags': any_of(a_string, a_list_of(a_string))" in piece(
        shop, "endpoints.py", "ADD_BOOK"
    )


def test_a_method_that_gives_nothing_at_times(shop: Shop) -> None:
    shop.change("method: add,", "method: add, none_on: [404, 503],")
    assert shop.run() == 0
    assert piece(shop, "resources.py", "ShelfBooks.add").startswith("def add(")
    assert ") -> Book | None:" in piece(shop, "resources.py", "ShelfBooks.add")
    endpoint = piece(shop, "endpoints.py", "ADD_BOOK")
    assert endpoint.startswith("ADD_BOOK: Final[Endpoint[Book | None]] = Endpoint(")
    assert "read=nullable(read_book)" in endpoint
    assert "none_on=(404, 503)" in endpoint
    said = (
        "        Returns:\n            The book.\n            None if the status is 404 or 503.\n"
    )
    assert said in shop.text("resources.py")


def test_a_method_that_gives_nothing_anyway_and_may_be_refused(shop: Shop) -> None:
    answer = shop.spec.joinpath("openapi.yaml").read_text().split("        '201':\n")[1]
    shop.change(
        f"        '201':\n{answer.split('components:')[0]}", "        '204': {description: Done.}\n"
    )
    shop.change("method: add,", "method: add, none_on: [404],")
    assert shop.run() == 0
    assert ") -> None:" in piece(shop, "resources.py", "ShelfBooks.add")
    assert "read=read_nothing" in piece(shop, "endpoints.py", "ADD_BOOK")


@pytest.mark.parametrize("value", ["a", [], ["a", "b"]])
def test_one_or_many_are_read_and_taken(value: object) -> None:
    assert one_of({str: string, list: list_of(string)})(value) == value
    check_arguments({"tags": any_of(a_string, a_list_of(a_string))}, {"tags": value})


@pytest.mark.parametrize("value", [1, None, {"a": "b"}, [1]])
def test_nothing_else_is_read(value: Any) -> None:
    with pytest.raises(Mismatch):
        one_of({str: string, list: list_of(string)})(value)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1, "tags must be a str or a list of str, not int"),
        (["a", 1], "tags[1] must be a str, not int"),
        (b"a", "tags must be a str or a list of str, not bytes"),
    ],
)
def test_nothing_else_is_taken(value: object, said: str) -> None:
    with pytest.raises(ArgumentTypeError) as caught:
        check_arguments({"tags": any_of(a_string, a_list_of(a_string))}, {"tags": value})
    assert caught.value.message == said
