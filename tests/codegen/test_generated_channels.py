"""What comes out for channels, events and pushes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.codegen.source_pieces import piece
from tests.codegen.tiny_spec import Shop, open_shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return open_shop(tmp_path)


def test_events(shop: Shop) -> None:
    shop.run()
    assert piece(shop, "events.py", "BookAdded").splitlines()[1:] == [
        "class BookAdded(Book):",
        "    pass",
    ]
    assert piece(shop, "events.py", "BookMoved").splitlines()[1:] == [
        "class BookMoved(Model):",
        "    from_: int",
        "    __wire__: ClassVar[Mapping[str, str]] = {'from_': 'from'}",
    ]
    assert piece(shop, "events.py", "BOOK_MOVED") == (
        "BOOK_MOVED: Final = EventType('book:moved', read_book_moved, replay=True, transient=True)"
    )
    assert piece(shop, "events.py", "ShelfEvent") == (
        "ShelfEvent: TypeAlias = BookAdded | BookMoved | UnknownEvent"
    )


def test_an_event_that_is_a_map(shop: Shop) -> None:
    shop.change(
        "payload: {$ref: './openapi.yaml#/components/schemas/Book'}}",
        "payload: {type: object, additionalProperties: {type: integer}}}",
        "asyncapi.yaml",
    )
    shop.run()
    assert piece(shop, "events.py", "BookAdded") == "class BookAdded(dict[str, int]):\n    pass"
    assert "_book_added_of: Final = map_of(integer)" in shop.text("events.py")


def test_who_is_there(shop: Shop) -> None:
    shop.change(
        "payload: {$ref: './openapi.yaml#/components/schemas/Book'}}",
        "payload: {type: object, additionalProperties: {type: integer}}}",
        "asyncapi.yaml",
    )
    shop.change(
        "class: ShelfChannel}",
        "class: ShelfChannel, presence: {property: guests, state: bookAdded, diff: bookMoved}}",
        "asyncapi.yaml",
    )
    assert shop.run() == 0
    assert "presence=PresenceType(state='book:added', diff='book:moved')" in piece(
        shop, "events.py", "SHELF"
    )
    for file, cls in (("channels.py", "ShelfChannel"), ("async_channels.py", "AsyncShelfChannel")):
        assert piece(shop, file, f"{cls}.guests").splitlines() == [
            "@property",
            "def guests(self) -> BookAdded:",
            "    return self._presence(BOOK_ADDED)",
        ]


def test_a_push(shop: Shop) -> None:
    shop.run()
    assert piece(shop, "channels.py", "ShelfChannel.knock").splitlines() == [
        "def knock(self, *, times: int) -> None:",
        "    self._send('knock', checked_payload({'times': an_integer}, {'times': times}))",
    ]
    assert piece(shop, "async_channels.py", "AsyncShelfChannel.knock").splitlines() == [
        "async def knock(self, *, times: int) -> None:",
        "    self._send('knock', checked_payload({'times': an_integer}, {'times': times}))",
    ]


def test_the_realtime_class(shop: Shop) -> None:
    shop.run()
    assert piece(shop, "async_channels.py", "AsyncShopLive").splitlines() == [
        "class AsyncShopLive(AsyncRealtime):",
        "",
        "    def shelf(self, shelf_id: str | UUID | AsyncShelfHandle) -> AsyncShelfChannel:",
        "        return self._channel(AsyncShelfChannel, "
        "checked_id('shelf_id', shelf_id, 'shelf'))",
    ]


@pytest.mark.parametrize(
    ("server", "scheme", "told"),
    [
        (
            "pathname: /live/websocket",
            "in: query, name: key",
            "38:5: a socket takes its credential as {type: httpApiKey, in: query, name: token}",
        ),
        (
            "pathname: /live",
            "in: query, name: token",
            "5:3: the pathname of a Phoenix socket ends with '/websocket'",
        ),
    ],
)
def test_what_the_socket_would_not_do_is_refused(
    shop: Shop, capsys: pytest.CaptureFixture[str], server: str, scheme: str, told: str
) -> None:
    servers = f"servers:\n  live: {{host: shop.example, protocol: wss, {server}}}\n"
    schemes = f"  securitySchemes:\n    user: {{type: httpApiKey, {scheme}}}\n"
    shop.change("channels:\n", f"{servers}channels:\n", "asyncapi.yaml")
    shop.change("components:\n", f"components:\n{schemes}", "asyncapi.yaml")
    assert shop.run() == 1
    assert [
        line.partition("asyncapi.yaml:")[2] for line in capsys.readouterr().err.splitlines()
    ] == [told]
