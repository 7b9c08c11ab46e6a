"""Names that something had before, what is on its way out, and since when there is something."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

import pytest

from tests.codegen.source_pieces import piece
from tests.codegen.tiny_spec import Shop, open_shop

EVENTS_FILE: Final = "asyncapi.yaml"
WAS: Final = "since: '1.1', until: '2.0'}]"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return open_shop(tmp_path)


def doc(shop: Shop, file: str, name: str) -> str:
    nodes = ast.walk(ast.parse(shop.text(file)))
    found = next(node for node in nodes if getattr(node, "name", "") == name)
    assert isinstance(found, ast.FunctionDef)
    return ast.get_docstring(found) or ""


def test_a_method_keeps_its_old_name(shop: Shop) -> None:
    shop.change("method: add,", f"method: put, was: [{{method: add, {WAS},")
    assert shop.run() == 0
    new = piece(shop, "resources.py", "ShelfBooks.put")
    notice = "add is called put since 1.1, and ends with 2.0"
    assert piece(shop, "resources.py", "ShelfBooks.add") == (
        f"@deprecated('{notice}')\n{new.replace('def put', 'def add')}"
    )
    assert piece(shop, "async_resources.py", "AsyncShelfBooks.add").startswith(
        f"@deprecated('{notice}')\nasync def add("
    )
    assert f"\n\nDeprecated: {notice}.\n\nArgs:" in doc(shop, "resources.py", "add")
    assert shop.text("endpoints.py").count("ADD_BOOK:") == 1


def test_a_method_stays_where_it_was(shop: Shop) -> None:
    shop.change(
        "resource: shelves(shelf_id).books, method: add,",
        "resource: shelves(shelf_id), method: add, "
        f"was: [{{resource: shelves, method: add_to, {WAS},",
    )
    assert shop.run() == 0
    assert piece(shop, "resources.py", "ShelfHandle.add").startswith("def add(self, title: str, *,")
    old = piece(shop, "resources.py", "ShelvesResource.add_to")
    assert old.startswith(
        "@deprecated('add_to is called shelves(shelf_id).add since 1.1, and ends with 2.0')\n"
        "def add_to(self, title: str, *, shelf_id: str,"
    )
    assert "self._core.call(ADD_BOOK, {'shelf_id': shelf_id}, body=" in old


def rename_resources(shop: Shop) -> None:
    shop.change(
        "    shelves: {doc: All shelves.}",
        f"    shelves: {{doc: All shelves., was: [{{name: racks, class: RacksResource, {WAS}}}",
    )
    shop.change(
        "shelves(shelf_id).books: {class: ShelfBooks,",
        f"shelves(shelf_id).books: {{class: ShelfBooks, was: [{{name: volumes, {WAS},",
    )
    assert shop.run() == 0


def test_a_resource_keeps_its_old_name(shop: Shop) -> None:
    rename_resources(shop)
    assert piece(shop, "resources.py", "ShelfHandle.volumes").splitlines() == [
        "@property",
        "@deprecated('volumes is called books since 1.1, and ends with 2.0')",
        "def volumes(self) -> ShelfBooks:",
        "    return self.books",
    ]
    assert piece(shop, "async_resources.py", "AsyncResources.racks").splitlines() == [
        "@property",
        "@deprecated('racks is called shelves since 1.1, and ends with 2.0')",
        "def racks(self) -> AsyncShelvesResource:",
        "    return self.shelves",
    ]


def test_the_class_of_a_resource_keeps_its_old_name(shop: Shop) -> None:
    rename_resources(shop)
    assert (
        shop.text("async_resources.py")
        .rstrip()
        .endswith(
            '''
if TYPE_CHECKING:
    AsyncRacksResource: TypeAlias = AsyncShelvesResource
    """AsyncRacksResource is called AsyncShelvesResource since 1.1, and ends with 2.0."""
else:
    __getattr__ = deprecated_names(
        __name__,
        {
            "AsyncRacksResource": (
                AsyncShelvesResource,
                "AsyncRacksResource is called AsyncShelvesResource since 1.1, and ends with 2.0",
            ),
        },
    )'''.lstrip("\n")
        )
    )
    assert '"RacksResource": "poolse._generated.resources"' in shop.text("names.py")
    assert '"AsyncRacksResource": "poolse._generated.async_resources"' in shop.text("names.py")


def test_a_field_keeps_its_old_name(shop: Shop) -> None:
    shop.change(
        "bought_at: {type: string,",
        f"bought_at: {{x-sdk: {{name: bought, was: [{{name: bought_at, {WAS}}}, type: string,",
    )
    assert shop.run() == 0
    assert piece(shop, "models.py", "Book.bought_at").splitlines() == [
        "@property",
        "@deprecated('bought_at is called bought since 1.1, and ends with 2.0')",
        "def bought_at(self) -> datetime | None:",
        "    return self.bought",
    ]


def test_rows_enums_and_events_keep_the_old_names_of_their_classes(shop: Shop) -> None:
    shop.change(
        "      description: A book.\n",
        f"      description: A book.\n      x-sdk: {{was: [{{class: Tome, {WAS}}}\n",
    )
    shop.change(
        "enum: [crime, love-story]}",
        f"enum: [crime, love-story], x-sdk: {{was: [{{class: Kind, {WAS}}}}}",
    )
    shop.change(
        "{callback: on_book}", f"{{callback: on_book, was: [{{class: BookCame, {WAS}}}", EVENTS_FILE
    )
    assert shop.run() == 0
    for file, line in (
        ("models.py", "    Tome: TypeAlias = Book\n"),
        ("models.py", "    Kind: TypeAlias = Genre\n"),
        ("events.py", "    BookCame: TypeAlias = BookAdded\n"),
    ):
        assert line in shop.text(file)


def test_a_channel_keeps_its_old_names(shop: Shop) -> None:
    shop.change(
        "{accessor: shelf, class: ShelfChannel}",
        "{accessor: shelf, class: ShelfChannel, "
        f"was: [{{accessor: rack, class: RackChannel, {WAS}}}",
        EVENTS_FILE,
    )
    shop.change(
        "{callback: on_book}",
        f"{{callback: on_book, was: [{{callback: on_new, {WAS}}}",
        EVENTS_FILE,
    )
    shop.change("{push: knock}", f"{{push: knock, was: [{{push: rap, {WAS}}}", EVENTS_FILE)
    assert shop.run() == 0
    for name, rest in (
        ("ShelfChannel.on_new", "def on_new(self, handler: Callable[[BookAdded], object])"),
        ("ShelfChannel.rap", "def rap(self, *, times: int) -> None:"),
        ("ShopLive.rack", "def rack(self, shelf_id: str | UUID | ShelfHandle) -> ShelfChannel:"),
    ):
        old, new = name.partition(".")[2], rest
        found = piece(shop, "channels.py", name)
        assert found.startswith(f"@deprecated('{old} is called ")
        assert new in found
    assert "    RackChannel: TypeAlias = ShelfChannel\n" in shop.text("channels.py")


@pytest.mark.parametrize(
    ("said", "notice"),
    [
        ("", "add is deprecated"),
        ("{since: '1.1'}", "add is deprecated since 1.1"),
        ("{since: '1.1', use: put}", "add is deprecated since 1.1, use put instead"),
        (
            "{since: '1.1', use: put, until: '2.0'}",
            "add is deprecated since 1.1, use put instead; it ends with 2.0",
        ),
    ],
)
def test_a_method_that_is_on_its_way_out(shop: Shop, said: str, notice: str) -> None:
    shop.change("summary: Add a book.", "summary: Add a book.\n      deprecated: true")
    if said:
        shop.change("method: add,", f"method: add, deprecated: {said},")
    assert shop.run() == 0
    assert piece(shop, "resources.py", "ShelfBooks.add").startswith(f"@deprecated('{notice}')\ndef")
    assert f"Deprecated: {notice}.\n" in doc(shop, "resources.py", "add")


def test_what_is_on_its_way_out_on_a_channel(shop: Shop) -> None:
    shop.change("{push: knock}", "{push: knock, deprecated: {since: '1.1'}}", EVENTS_FILE)
    shop.change(
        "{callback: on_book}", "{callback: on_book, deprecated: {since: '1.1'}}", EVENTS_FILE
    )
    assert shop.run() == 0
    for name in ("knock", "on_book"):
        notice = f"@deprecated('{name} is deprecated since 1.1')\ndef {name}("
        assert piece(shop, "channels.py", f"ShelfChannel.{name}").startswith(notice)


def test_fields_and_parameters_on_their_way_out_are_reported_in_words(shop: Shop) -> None:
    shop.change("tags: {type: array,", "tags: {deprecated: true, type: array,")
    shop.change(
        "bought_at: {type: string,",
        "bought_at: {deprecated: true, x-sdk: {deprecated: {since: '1.1'}}, type: string,",
    )
    assert shop.run() == 0
    assert "    tags: Its tags. At most 3. Deprecated: tags is deprecated." in doc(
        shop, "resources.py", "add"
    )
    assert '"""Deprecated: bought_at is deprecated since 1.1."""' in shop.text("models.py")


def test_since_when_there_is_something(shop: Shop) -> None:
    shop.change("method: add,", "method: add, since: '1.1',")
    shop.change("bought_at: {type: string,", "bought_at: {x-sdk: {since: '1.2'}, type: string,")
    shop.change("tags: {type: array,", "tags: {x-sdk: {since: '1.3'}, type: array,")
    shop.change("{callback: on_book}", "{callback: on_book, since: '1.4'}", EVENTS_FILE)
    shop.change("{push: knock}", "{push: knock, since: '1.5'}", EVENTS_FILE)
    assert shop.run() == 0
    assert "\n\nNew in 1.1.\n\nArgs:" in doc(shop, "resources.py", "add")
    assert '"""New in 1.2."""' in shop.text("models.py")
    assert "    tags: Its tags. At most 3. New in 1.3.\n" in doc(shop, "resources.py", "add")
    assert "\n\nNew in 1.4.\n\n" in doc(shop, "channels.py", "on_book")
    assert "\n\nNew in 1.5.\n\n" in doc(shop, "channels.py", "knock")


def test_without_any_of_it_nothing_of_it_is_there(shop: Shop) -> None:
    shop.run()
    for path in shop.out.glob("*.py"):
        assert not {"deprecated", "former_names", "New in"} & set(path.read_text().split())
