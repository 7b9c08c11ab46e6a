"""What comes out for each thing that a spec can say."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from codegen.package_symbols import Package
from codegen.public_names import hand_written_names
from tests.codegen.project_copy import ROOT
from tests.codegen.source_pieces import piece
from tests.codegen.tiny_spec import Shop, open_shop

PAGINATE = "paginate: {items: books, cursor: after, by: class,"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return open_shop(tmp_path)


def test_a_row(shop: Shop) -> None:
    assert shop.run() == 0
    assert piece(shop, "models.py", "Book").splitlines() == [
        "@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)",
        "class Book(Model):",
        "    id: str",
        "    number: int",
        "    title: str | None",
        "    genre: Genre",
        "    class_: str",
        "    bought_at: datetime | None = None",
        "    code: str | None = attrs.field(default=None, repr=False)",
        "    prices: dict[str, list[float]] | None = None",
        "    sequel: Book | None = None",
        "    __nullable__: ClassVar[frozenset[str]] = frozenset({'title'})",
        "    __wire__: ClassVar[Mapping[str, str]] = {'class_': 'class'}",
    ]


def test_a_required_secret(shop: Shop) -> None:
    shop.change("[id, number, title, genre, class]", "[id, number, title, genre, class, code]")
    shop.run()
    assert "    code: str = attrs.field(repr=False)" in piece(shop, "models.py", "Book")


def test_a_page(shop: Shop) -> None:
    shop.run()
    assert piece(shop, "models.py", "BookList").splitlines()[1:] == [
        "class BookList(Page[Book]):",
        "    pass",
    ]


def test_a_page_with_more_in_it(shop: Shop) -> None:
    shop.change(
        "        data: {type: array, items: {$ref: '#/components/schemas/Book'}}",
        "        data: {type: array, items: {$ref: '#/components/schemas/Book'}}\n"
        "        total: {type: integer}",
    )
    shop.run()
    assert piece(shop, "models.py", "BookList").splitlines()[1:] == [
        "class BookList(Page[Book]):",
        "    total: int | None = None",
    ]


def test_an_open_enum(shop: Shop) -> None:
    shop.run()
    assert piece(shop, "models.py", "Genre").splitlines() == [
        "class Genre(OpenEnum):",
        "    CRIME = 'crime'",
        "    LOVE_STORY = 'love-story'",
    ]
    assert "read_genre: Final = enum_of(Genre, is_open=True)" in shop.text("readers.py")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  enums: open\n", "  enums: closed\n"),
        ("enum: [crime, love-story]}", "enum: [crime, love-story], x-sdk: {enums: closed}}"),
    ],
)
def test_a_closed_enum(shop: Shop, old: str, new: str) -> None:
    shop.change(old, new)
    shop.run()
    assert piece(shop, "models.py", "Genre").startswith("class Genre(StrEnum):")
    assert "read_genre: Final = enum_of(Genre, is_open=False)" in shop.text("readers.py")


def test_a_method_and_its_async_twin(shop: Shop) -> None:
    shop.run()
    signature = [
        "add(self, title: str, *, genre: Genre | Literal['crime', 'love-story'] | Unset=UNSET, "
        "tags: Sequence[str] | Unset=UNSET, key: str | Unset=UNSET, "
        "options: CallOptions | None=None) -> Book:",
        "self._core.call(ADD_BOOK, self._path, "
        "body={'title': title, 'genre': genre, 'tags': tags, 'key': key}, options=options)",
    ]
    assert piece(shop, "resources.py", "ShelfBooks.add").splitlines() == [
        f"def {signature[0]}",
        f"    return {signature[1]}",
    ]
    assert piece(shop, "async_resources.py", "AsyncShelfBooks.add").splitlines() == [
        f"async def {signature[0]}",
        f"    return await {signature[1]}",
    ]


def test_a_pager_is_a_plain_method_in_both(shop: Shop) -> None:
    shop.run()
    for file, cls, kind in (
        ("resources.py", "ShelfBooks", "Iterator"),
        ("async_resources.py", "AsyncShelfBooks", "AsyncIterator"),
    ):
        assert piece(shop, file, f"{cls}.iter").splitlines() == [
            "def iter(self, *, after: int | Unset=UNSET, options: CallOptions | None=None)"
            f" -> {kind}[Book]:",
            "    return self._core.pages(LIST_BOOKS_PAGES, self._path, "
            "query={'after': after}, options=options)",
        ]
    assert piece(shop, "endpoints.py", "LIST_BOOKS_PAGES") == (
        "LIST_BOOKS_PAGES: Final[Paging[BookList, Book]] = Paging(endpoint=LIST_BOOKS, "
        "items=lambda page: needed(page.data, '$.data'), cursor='after', "
        "by=lambda item: item.number, path='$.data[].number', descending=False)"
    )


def test_a_pager_that_goes_down_and_is_called_otherwise(shop: Shop) -> None:
    shop.change("order: asc", "order: desc, method: walk")
    shop.run()
    assert "descending=True" in piece(shop, "endpoints.py", "LIST_BOOKS_PAGES")
    assert piece(shop, "resources.py", "ShelfBooks.walk").startswith("def walk(")
    assert '>>> for item in shop.shelves.one("s").books.walk():' in shop.text("resources.py")


def test_a_page_whose_fields_python_calls_otherwise(shop: Shop) -> None:
    shop.change("paginate: {items: data, cursor: after, by: number,", PAGINATE)
    shop.change(
        "        number: {type: integer,", "        class: {x-sdk: {name: number}, type: integer,"
    )
    shop.change(
        "        class: {type: string, x-sdk: {name: class_}}", "        shape: {type: string}"
    )
    shop.change(
        "required: [id, number, title, genre, class]", "required: [id, class, title, genre]"
    )
    shop.change("      required: [data]\n", "      required: [books]\n")
    shop.change("        data: {type: array,", "        books: {x-sdk: {name: data}, type: array,")
    assert shop.run() == 0
    assert "class BookList(Page[Book]):" in shop.text("models.py")
    pages = piece(shop, "endpoints.py", "LIST_BOOKS_PAGES")
    assert "needed(page.data, '$.data')" in pages
    assert "by=lambda item: item.number" in pages


def test_a_handle(shop: Shop) -> None:
    shop.run()
    assert piece(shop, "resources.py", "ShelvesResource.one").splitlines() == [
        "def one(self, id: str | UUID | ShelfHandle) -> ShelfHandle:",
        "    return ShelfHandle(self._core, id)",
    ]
    assert piece(shop, "resources.py", "ShelfHandle.__init__").splitlines() == [
        "def __init__(self, core: Calls, id: str | UUID | ShelfHandle) -> None:",
        "    self._core = core",
        "    self._id = checked_id('id', id, 'shelf')",
        "    self._path = {'shelf_id': self._id}",
        "    self._resource_books = ShelfBooks(core, self._path)",
    ]


def test_a_handle_below_a_handle_keeps_both_values(shop: Shop) -> None:
    shop.change(
        "    shelves(shelf_id).books: {class",
        "    shelves(shelf_id).books(book_id): {class: BookHandle, doc: One book.}\n"
        "    shelves(shelf_id).books: {class",
    )
    shop.run()
    assert piece(shop, "resources.py", "ShelfBooks.one").splitlines() == [
        "def one(self, id: str | UUID | BookHandle) -> BookHandle:",
        "    return BookHandle(self._core, self._path, id)",
    ]
    assert piece(shop, "resources.py", "BookHandle.__init__").splitlines() == [
        "def __init__(self, core: Calls, path: Mapping[str, str], "
        "id: str | UUID | BookHandle) -> None:",
        "    self._core = core",
        "    self._id = checked_id('id', id, 'book')",
        "    self._path = {**path, 'book_id': self._id}",
    ]


def test_path_values_that_no_handle_binds_are_arguments(shop: Shop) -> None:
    shop.change(
        "resource: shelves(shelf_id).books, method: add, positional: [title]",
        "resource: shelves, method: add, positional: [shelf_id]",
    )
    shop.run()
    assert piece(shop, "resources.py", "ShelvesResource.add").splitlines() == [
        "def add(self, shelf_id: str, *, title: str, "
        "genre: Genre | Literal['crime', 'love-story'] | Unset=UNSET, "
        "tags: Sequence[str] | Unset=UNSET, key: str | Unset=UNSET, "
        "options: CallOptions | None=None) -> Book:",
        "    return self._core.call(ADD_BOOK, {'shelf_id': shelf_id}, "
        "body={'title': title, 'genre': genre, 'tags': tags, 'key': key}, options=options)",
    ]


def test_an_endpoint(shop: Shop) -> None:
    shop.run()
    assert piece(shop, "endpoints.py", "ADD_BOOK") == (
        "ADD_BOOK: Final[Endpoint[Book]] = Endpoint(method='POST', "
        "path='/shelves/{shelf_id}/books', read=read_book, idempotency='Idempotency-Key', "
        "generate=('key',), takes={'title': a_string, 'genre': a_string, "
        "'tags': a_list_of(a_string), 'key': a_string}, needs=('title',))"
    )


def test_an_endpoint_without_idempotency_and_retry(shop: Shop) -> None:
    shop.change("positional: [title]}", "positional: [title], idempotency: false, retry: false}")
    shop.run()
    assert piece(shop, "endpoints.py", "ADD_BOOK") == (
        "ADD_BOOK: Final[Endpoint[Book]] = Endpoint(method='POST', "
        "path='/shelves/{shelf_id}/books', read=read_book, generate=('key',), "
        "takes={'title': a_string, 'genre': a_string, 'tags': a_list_of(a_string), "
        "'key': a_string}, needs=('title',), retry=False)"
    )


def test_an_answer_without_content(shop: Shop) -> None:
    shop.change(
        """        '201':
          description: The book.
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Book'}
""",
        "        '204': {description: Done.}\n",
    )
    shop.run()
    assert "ADD_BOOK: Final[Endpoint[None]]" in shop.text("endpoints.py")
    assert "read=read_nothing" in shop.text("endpoints.py")
    assert ") -> None:" in piece(shop, "resources.py", "ShelfBooks.add")


def test_an_answer_without_its_envelope(shop: Shop) -> None:
    shop.change("paginate: {items: data, cursor: after, by: number, order: asc}", "returns: data")
    shop.run()
    assert "LIST_BOOKS: Final[Endpoint[list[Book]]]" in shop.text("endpoints.py")
    assert "read=lambda value: read_book_list(value).data" in shop.text("endpoints.py")
    assert " -> builtins.list[Book]:" in piece(shop, "resources.py", "ShelfBooks.list")
    assert "import builtins\n" in shop.text("resources.py")


def test_public_names(shop: Shop) -> None:
    shop.run()
    tree = ast.parse(shop.text("public.py"))
    listed = ast.literal_eval(tree.body[-1].value)  # type: ignore[attr-defined]
    twins = {"ShelfBooks", "ShelfChannel", "ShelfHandle", "ShelvesResource", "ShopLive"}
    hand_written = {name for name, _ in hand_written_names(Package(ROOT))} - {"UNSET"}
    assert set(listed) == (hand_written - {"POOLSE_API_URL"}) | {
        *("Book", "BookAdded", "BookList", "BookMoved", "BookRequest", "Genre", "ShelfEvent"),
        *twins,
        *(f"Async{name}" for name in twins),
    }
    assert listed == sorted(listed)


def test_the_docstring_of_a_method(shop: Shop) -> None:
    shop.change(
        "summary: Add a book.", 'summary: Add a \\book """now""".\n      description: More.'
    )
    shop.run()
    tree = ast.parse(shop.text("async_resources.py"))
    method = next(n for n in ast.walk(tree) if getattr(n, "name", "") == "add")
    assert isinstance(method, ast.AsyncFunctionDef)
    assert (ast.get_docstring(method) or "").splitlines() == [
        'Add a \\book """now""".',
        "",
        "More.",
        "",
        "`POST /shelves/{shelf_id}/books`",
        "",
        "Args:",
        "    title: Its title.",
        "    genre: What it is about.",
        "    tags: Its tags. At most 3.",
        "    key: Its key.",
        "    options: Timeout, retries and other options of this call only.",
        "",
        "Returns:",
        "    The book.",
        "",
        "Raises:",
        "    ApiError: The server refused the request.",
        "    NetworkError: No response was received, even after the retries.",
        "    DecodeError: The response does not match the API.",
        "    UsageError: An argument is invalid. No request was made.",
    ]
