"""Mistakes in a spec: told exactly, where they are, all at once, and with nothing written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.codegen.tiny import Shop, open_shop

REST = "openapi.yaml"
EVENTS = "asyncapi.yaml"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.chdir(tmp_path)
    return open_shop(tmp_path)


def told(shop: Shop, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What the generator complains about. It has written nothing then."""
    assert shop.run() == 1
    assert not shop.out.exists()
    return capsys.readouterr().err.splitlines()


# Where a mistake is made, and what is said of it.
CASES: list[tuple[str, str, str, str]] = [
    # x-sdk
    (
        REST,
        "positional: [title]}",
        "positonal: [title]}",
        "openapi.yaml:36:66: x-sdk: unknown field 'positonal' for operation. "
        "Did you mean 'positional'?",
    ),
    (
        REST,
        "positional: [title]}",
        "single: {method: m}}",
        "openapi.yaml:36:66: x-sdk: unknown field 'single' for operation",
    ),
    (
        REST,
        "order: asc",
        "order: up",
        "openapi.yaml:22:66: x-sdk: 'up' is not one of ['asc', 'desc']",
    ),
    (REST, "  grammar: 1", "  grammar: 2", "openapi.yaml:6:3: x-sdk: 1 was expected"),
    (
        REST,
        "    get:\n",
        "    get:\n      tags: [{x-sdk: {a: 1}}]\n",
        "openapi.yaml:17:15: x-sdk means nothing here",
    ),
    (
        EVENTS,
        "replay: last",
        "replay: first",
        "asyncapi.yaml:31:32: x-sdk: 'last' was expected",
    ),
    (
        EVENTS,
        "{push: knock}",
        "{push: knock, throttle: 3}",
        "asyncapi.yaml:37:26: x-sdk: unknown field 'throttle' for send",
    ),
    # documents
    (
        REST,
        "summary: Add",
        "sumary: Add",
        "openapi.yaml:35:7: operation: unknown key 'sumary'. Did you mean 'summary'?",
    ),
    (
        REST,
        "summary: Add",
        "deprecated: true\n      summary: Add",
        "openapi.yaml:35:7: operation: unknown key 'deprecated'",
    ),
    (
        REST,
        "schema: {$ref: '#/components/schemas/BookList'}",
        "schema: {$ref: '#/components/schemas/BookLst'}",
        "openapi.yaml:31:24: no 'BookLst' under '#/components/schemas'. Did you mean 'BookList'?",
    ),
    (
        EVENTS,
        "./openapi.yaml#/components/schemas/Book'",
        "./openapi.yaml#/components/schemas/Boot'",
        "asyncapi.yaml:40:45: no 'Boot' under './openapi.yaml#/components/schemas'. "
        "Did you mean 'Book'?",
    ),
    # YAML
    (
        REST,
        "      operationId: addBook\n",
        "      operationId: addBook\n      operationId: again\n",
        "openapi.yaml:35:7: duplicate key 'operationId' (first at spec/openapi.yaml:34:7)",
    ),
    (REST, "'200':", "200:", "openapi.yaml:27:9: a key must be a string: quote it (200)"),
    (REST, "info: {title: Shop", "info: [title: Shop", "openapi.yaml:2:34: not YAML: "),
    # schemas
    (
        REST,
        "number: {type: integer,",
        "number: {type: integr,",
        "openapi.yaml:67:18: schema: no type 'integr'. Did you mean 'integer'?",
    ),
    (
        REST,
        "      type: object\n      description: A book.",
        "      type: object\n      allOf: []\n      description: A book.",
        "openapi.yaml:63:7: schema: 'allOf' is not supported",
    ),
    (
        REST,
        "required: [id, number,",
        "required: [id, numbr,",
        "openapi.yaml:64:22: required field 'numbr' is not declared. Did you mean 'number'?",
    ),
    (
        REST,
        "genre: {$ref: '#/components/schemas/Genre'}\n        class",
        "genre: {type: string, enum: [a]}\n        class",
        "openapi.yaml:69:9: an enum needs a name: x-sdk.class, or declare it in components",
    ),
    (
        REST,
        "bought_at: {type: string, format: date-time}",
        "bought_at: {type: object, properties: {a: {type: string}}}",
        "openapi.yaml:71:9: an object with fields needs a name: declare it in components",
    ),
    (
        REST,
        "- {type: 'null'}",
        "- {type: string}",
        "openapi.yaml:75:11: schema: 'oneOf' is only supported as one schema and null",
    ),
    # operations
    (
        REST,
        "resource: shelves(shelf_id).books, method: add",
        "resource: shelves(shelf).books, method: add",
        "openapi.yaml:36:15: no resource 'shelves(shelf).books' in x-sdk.resources. "
        "Did you mean 'shelves(shelf_id).books'?",
    ),
    (
        REST,
        "  /shelves/{shelf_id}/books:",
        "  /shelves/{shelf}/books:",
        "openapi.yaml:17:5: no parameter for {shelf} of the path. Did you mean 'shelf_id'?",
    ),
    (
        REST,
        "in: query",
        "in: header",
        "openapi.yaml:26:11: a parameter in 'header' is not supported",
    ),
    (
        REST,
        "positional: [title]",
        "positional: [titel]",
        "openapi.yaml:36:79: no parameter 'titel'. Did you mean 'title'?",
    ),
    (
        REST,
        "errors: [gone]",
        "errors: [gon]",
        "openapi.yaml:23:18: no error code 'gon'. Did you mean 'gone'?",
    ),
    (
        REST,
        "by: number",
        "by: title",
        "openapi.yaml:22:47: 'title' is not an integer",
    ),
    (
        REST,
        "cursor: after",
        "cursor: aftr",
        "openapi.yaml:22:32: no 'aftr' in the query. Did you mean 'after'?",
    ),
    (
        REST,
        "method: add, positional: [title]}",
        "method: add, returns: titel}",
        "openapi.yaml:36:66: no field 'titel' in the answer. Did you mean 'title'?",
    ),
    (
        REST,
        "title: {type: string, description: Its title.}",
        "title: {type: string}",
        "openapi.yaml:86:9: 'title' needs a description",
    ),
    (
        REST,
        "  - user: []",
        "  - usr: []",
        "openapi.yaml:4:5: no security scheme 'usr'. Did you mean 'user'?",
    ),
    # names
    (
        REST,
        "method: add,",
        "method: iter,",
        "openapi.yaml:36:50: method 'iter': taken already (at spec/openapi.yaml:22:9)",
    ),
    (
        REST,
        "method: add,",
        "method: class,",
        "openapi.yaml:36:50: method 'class': cannot be a name in Python",
    ),
    (
        REST,
        "class: ShelfBooks",
        "class: Book",
        "openapi.yaml:62:5: class 'Book': taken already (at spec/openapi.yaml:12:5)",
    ),
    (
        REST,
        "class: {type: string, x-sdk: {name: class_}}",
        "class: {type: string}",
        "openapi.yaml:70:9: field 'class': cannot be a name in Python",
    ),
    (
        REST,
        "class: {type: string, x-sdk: {name: class_}}",
        "class: {type: string, x-sdk: {name: extra}}",
        "openapi.yaml:70:9: field 'extra': taken by the library",
    ),
    (
        REST,
        "enum: [crime, love-story]",
        "enum: [love_story, love-story]",
        "openapi.yaml:78:83: enum member 'LOVE_STORY': taken already (at spec/openapi.yaml:78:71)",
    ),
    (
        REST,
        "tags: {type: array",
        "options: {type: array",
        "openapi.yaml:88:9: parameter 'options': taken by the library",
    ),
    # channels
    (
        EVENTS,
        "class: ShelfChannel}",
        "class: ShelfChannel, presence: {property: p, state: bookAded, diff: bookMoved}}",
        "asyncapi.yaml:14:61: the channel receives no 'bookAded'. Did you mean 'bookAdded'?",
    ),
    (
        EVENTS,
        "name: book:moved",
        "name: book:added",
        "asyncapi.yaml:26:3: 'book:added' is carried already (at spec/asyncapi.yaml:16:3)",
    ),
    (
        EVENTS,
        "on_moved",
        "on_book",
        "asyncapi.yaml:26:3: method 'on_book': taken already (at spec/asyncapi.yaml:16:3)",
    ),
    (
        EVENTS,
        "'shelf:{shelf_id}'",
        "'shelf'",
        "asyncapi.yaml:6:5: a topic needs exactly one {name}",
    ),
    (
        EVENTS,
        "required: [times]",
        "required: []",
        "asyncapi.yaml:52:11: an optional field is not supported in a push",
    ),
    (EVENTS, "action: send", "action: sent", "'action' must be 'receive' or 'send'"),
]


@pytest.mark.parametrize(("file", "old", "new", "expected"), CASES)
def test_a_mistake_is_told_where_it_is(
    shop: Shop,
    capsys: pytest.CaptureFixture[str],
    file: str,
    old: str,
    new: str,
    expected: str,
) -> None:
    shop.change(old, new, file)
    lines = told(shop, capsys)
    assert any(expected in line for line in lines), "\n".join(lines)


def test_all_mistakes_are_told_in_the_order_of_the_files(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.change("positional: [title]", "positional: [titel]")
    shop.change("order: asc", "order: asc, sise: limit")
    shop.change("errors: [gone]", "errors: [gonne]")
    shop.change("replay: last", "replai: last", EVENTS)
    assert told(shop, capsys) == [
        "spec/asyncapi.yaml:31:32: x-sdk: unknown field 'replai' for receive. "
        "Did you mean 'replay'?",
        "spec/openapi.yaml:22:78: x-sdk: unknown field 'sise' for operation",
        "spec/openapi.yaml:23:18: no error code 'gonne'. Did you mean 'gone'?",
        "spec/openapi.yaml:36:79: no parameter 'titel'. Did you mean 'title'?",
    ]


def test_a_missing_file_is_told(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    (shop.spec / EVENTS).unlink()
    assert "spec/asyncapi.yaml:1:1: cannot be read: No such file or directory" in told(shop, capsys)


def test_plain_words_of_yaml_1_1_stay_words(shop: Shop) -> None:
    shop.change("enum: [crime, love-story]", "enum: [no, on, 2026-01-01, 12:30:00]")
    assert shop.run() == 0
    for value in ("no", "on", "2026-01-01", "12:30:00"):
        assert f'= "{value}"' in shop.text("models.py")
