"""What comes out for a list whose items have threads of replies, which it leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.apidiff.compare import compare
from codegen.build_api import build
from codegen.public_names import spec_symbols
from tests.codegen.source_pieces import piece
from tests.codegen.tiny_spec import Shop, open_shop

REVIEWS = """\
  /books/{book_id}/reviews:
    parameters:
      - {name: book_id, in: path, required: true, description: The book., schema: {type: string}}
    get:
      operationId: listReviews
      summary: List the reviews.
      x-sdk:
        resource: books(book_id)
        method: reviews
        paginate: {items: data, cursor: after, by: number, order: asc, method: iter_reviews}
      parameters:
        - {name: after, in: query, description: Where to start., schema: {type: integer}}
      responses:
        '200':
          description: One page.
          content: {application/json: {schema: {$ref: '#/components/schemas/BookList'}}}
"""
PLAIN = "paginate: {items: data, cursor: after, by: number, order: asc}"
THREAD = "thread: {operation: listReviews, id: id, count: number}"
PAGED = PLAIN.replace("asc}", f"desc, {THREAD}}}")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    opened = open_shop(tmp_path)
    opened.change("paths:\n", f"paths:\n{REVIEWS}")
    opened.change(
        "    shelves: {doc: All shelves.}",
        "    shelves: {doc: All shelves.}\n    books: {doc: All books.}\n"
        "    books(book_id): {class: BookHandle, doc: One book.}",
    )
    opened.change(PLAIN, PAGED)
    return opened


def test_the_method_has_an_order(shop: Shop) -> None:
    assert shop.run() == 0
    method = piece(shop, "resources.py", "ShelfBooks.iter")
    assert "order: Literal['newest', 'oldest']='newest', include_replies: bool=False" in method
    assert "self._core.history(LIST_BOOKS_PAGES, " in method
    assert method.rstrip().endswith("order=order, include_replies=include_replies)")
    assert piece(shop, "endpoints.py", "LIST_BOOKS_PAGES").endswith(
        "descending=True, thread=lambda item: Thread(paging=LIST_REVIEWS_PAGES, "
        "path={'book_id': item.id}) if item.number else None)"
    )
    # The replies themselves have no threads.
    assert "order" not in piece(shop, "resources.py", "BookHandle.iter_reviews")


def test_what_it_means(shop: Shop) -> None:
    new = build(shop.spec)
    shop.change(f", {THREAD}", "")
    old = build(shop.spec)
    changes = compare(*map(spec_symbols, (old, new)), is_same=False)
    assert [f"{c.rule.verdict} {c.kind}: {c.text}" for c in changes] == [
        "minor added: `ShelfBooks.iter(order=, include_replies=)`"
    ]
    changes = compare(*map(spec_symbols, (new, old)), is_same=False)
    assert [f"{c.rule.verdict} {c.kind}" for c in changes] == ["major removed"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("order: desc, thread", "order: asc, thread", "'thread' needs the order 'desc'"),
        (
            "operation: listReviews",
            "operation: listReview",
            "no 'listReview' in the operations. Did you mean 'listReviews'?",
        ),
        ("id: id, count", "id: number, count", "'number' is not of the type string"),
        ("count: number", "count: title", "'title' is not of the type integer"),
        ("count: number", "count: amount", "no 'amount' in the items"),
        (
            "operation: listReviews",
            "operation: listBooks",
            "replies need a list with one path value, paged in the order 'asc'",
        ),
    ],
)
def test_mistakes_are_reported(
    shop: Shop, capsys: pytest.CaptureFixture[str], old: str, new: str, told: str
) -> None:
    shop.change(old, new)
    assert shop.run() == 1
    lines = [line.partition(": ")[2] for line in capsys.readouterr().err.splitlines()]
    assert told in lines
