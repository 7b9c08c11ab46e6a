"""A spec of a shop, small enough to be read at a glance, for tests that change it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import attrs

from codegen.__main__ import main

REST: Final = """\
openapi: 3.1.0
info: {title: Shop, version: 1.0.0}
security:
  - user: []
x-sdk:
  grammar: 1
  idempotency: {header: Idempotency-Key, for: [POST]}
  enums: open
  resources:
    shelves: {doc: All shelves.}
    shelves(shelf_id): {class: ShelfHandle, doc: One shelf.}
    shelves(shelf_id).books: {class: ShelfBooks, doc: Books of one shelf.}
paths:
  /shelves/{shelf_id}/books:
    parameters:
      - {name: shelf_id, in: path, required: true, description: The shelf., schema: {type: string}}
    get:
      operationId: listBooks
      summary: List the books.
      x-sdk:
        resource: shelves(shelf_id).books
        method: list
        paginate: {items: data, cursor: after, by: number, order: asc}
        errors: [gone]
        example: shop.shelves.one("s").books.list()
      parameters:
        - {name: after, in: query, description: Where to start., schema: {type: integer}}
      responses:
        '200':
          description: One page.
          content:
            application/json:
              schema: {$ref: '#/components/schemas/BookList'}
        4XX: {$ref: '#/components/responses/Error'}
    post:
      operationId: addBook
      summary: Add a book.
      x-sdk: {resource: shelves(shelf_id).books, method: add, positional: [title]}
      requestBody:
        content:
          application/json:
            schema: {$ref: '#/components/schemas/BookRequest'}
      responses:
        '201':
          description: The book.
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Book'}
components:
  securitySchemes:
    user: {type: http, scheme: bearer, x-sdk: {credential: token}}
  responses:
    Error:
      description: Refused.
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Failure'}
  schemas:
    Book:
      type: object
      description: A book.
      required: [id, number, title, genre, class]
      properties:
        id: {type: string, description: Its id.}
        number: {type: integer, description: Its place.}
        title: {type: [string, 'null'], description: Its title.}
        genre: {$ref: '#/components/schemas/Genre'}
        class: {type: string, x-sdk: {name: class_}}
        bought_at: {type: string, format: date-time}
        code: {type: string, x-sdk: {secret: true}}
        prices: {type: object, additionalProperties: {type: array, items: {type: number}}}
        sequel:
          oneOf:
            - {$ref: '#/components/schemas/Book'}
            - {type: 'null'}
    Genre: {type: string, description: What it is about., enum: [crime, love-story]}
    BookList:
      type: object
      required: [data]
      properties:
        data: {type: array, items: {$ref: '#/components/schemas/Book'}}
    BookRequest:
      type: object
      required: [title]
      properties:
        title: {type: string, description: Its title.}
        genre: {$ref: '#/components/schemas/Genre'}
        tags: {type: array, items: {type: string}, description: Its tags., maxItems: 3}
        key: {type: string, description: Its key., x-sdk: {generate: uuid4}}
    Failure:
      type: object
      properties:
        code: {type: string, enum: [gone, full], x-sdk: {class: FailureCode}}
"""

EVENTS: Final = """\
asyncapi: 3.0.0
info: {title: Shop, version: 1.0.0}
x-sdk: {grammar: 1, protocol: phoenix-v2, class: ShopLive}
channels:
  shelf:
    address: 'shelf:{shelf_id}'
    title: One shelf, live.
    parameters:
      shelf_id: {description: The shelf.}
    messages:
      bookAdded: {$ref: '#/components/messages/bookAdded'}
      bookMoved: {$ref: '#/components/messages/bookMoved'}
      knock: {$ref: '#/components/messages/knock'}
    x-sdk: {accessor: shelf, class: ShelfChannel}
operations:
  bookAdded:
    action: receive
    channel: {$ref: '#/channels/shelf'}
    summary: A book came.
    messages: [{$ref: '#/channels/shelf/messages/bookAdded'}]
    x-sdk: {callback: on_book}
  bookMoved:
    action: receive
    channel: {$ref: '#/channels/shelf'}
    summary: A book was moved.
    messages: [{$ref: '#/channels/shelf/messages/bookMoved'}]
    x-sdk: {callback: on_moved, replay: last, transient: true}
  knock:
    action: send
    channel: {$ref: '#/channels/shelf'}
    summary: Knock on the wood.
    messages: [{$ref: '#/channels/shelf/messages/knock'}]
    x-sdk: {push: knock}
components:
  messages:
    bookAdded: {name: 'book:added', payload: {$ref: './openapi.yaml#/components/schemas/Book'}}
    bookMoved:
      name: book:moved
      payload:
        type: object
        required: [from]
        properties:
          from: {type: integer, x-sdk: {name: from_}}
    knock:
      name: knock
      payload:
        type: object
        required: [times]
        properties:
          times: {type: integer, description: How often.}
"""


@attrs.frozen
class Shop:
    """A folder with the spec in it and room for what is made of it."""

    folder: Path

    @property
    def spec(self) -> Path:
        """Where the spec is."""
        return self.folder / "spec"

    @property
    def out(self) -> Path:
        """Where the generated files go."""
        return self.folder / "out"

    def run(self, *arguments: str) -> int:
        """The generator over this spec. Returns its exit status."""
        return main([*arguments, "--spec", str(self.spec), "--out", str(self.out)])

    def text(self, name: str) -> str:
        """A generated file."""
        return (self.out / name).read_text("utf-8")

    def change(self, old: str, new: str, file: str = "openapi.yaml") -> None:
        """Replace something in the spec that is there exactly once."""
        path = self.spec / file
        text = path.read_text("utf-8")
        assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
        path.write_text(text.replace(old, new), "utf-8")


def open_shop(folder: Path) -> Shop:
    """The spec as it stands above, in a folder of its own."""
    shop = Shop(folder)
    shop.spec.mkdir(parents=True)
    (shop.spec / "openapi.yaml").write_text(REST, "utf-8")
    (shop.spec / "asyncapi.yaml").write_text(EVENTS, "utf-8")
    return shop
