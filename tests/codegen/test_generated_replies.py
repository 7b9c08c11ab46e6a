"""Pushes that the server answers: they return what it says, in both flavours."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from tests.codegen.project_copy import Tree, plant
from tests.codegen.source_pieces import piece
from tests.codegen.tiny_spec import Shop, open_shop
from tests.realtime.scripted_server import Frame, ok, phoenix

FILE: Final = "asyncapi.yaml"
DECLARED: Final = """\
    heard:
      payload: {$ref: './openapi.yaml#/components/schemas/Book'}
    knock:
      name: knock
"""


def add_reply(shop: Shop, payload: str = "") -> None:
    """Let somebody answer when one knocks."""
    shop.change(
        "      knock: {$ref: '#/components/messages/knock'}\n",
        "      knock: {$ref: '#/components/messages/knock'}\n"
        "      heard: {$ref: '#/components/messages/heard'}\n",
        FILE,
    )
    shop.change(
        "    x-sdk: {push: knock}",
        "    reply: {messages: [{$ref: '#/channels/shelf/messages/heard'}]}\n"
        "    x-sdk: {push: knock}",
        FILE,
    )
    declared = DECLARED
    if payload:
        declared = declared.replace("{$ref: './openapi.yaml#/components/schemas/Book'}", payload)
    shop.change("    knock:\n      name: knock\n", declared, FILE)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return open_shop(tmp_path)


def test_a_push_with_a_reply(shop: Shop) -> None:
    add_reply(shop)
    assert shop.run() == 0
    for file, name, def_, await_ in (
        ("channels.py", "ShelfChannel", "def", ""),
        ("async_channels.py", "AsyncShelfChannel", "async def", "await "),
    ):
        assert piece(shop, file, f"{name}.knock").splitlines() == [
            f"{def_} knock(self, *, times: int, timeout: float | None=REPLY_WAIT) -> Book:",
            f"    return decode_value(read_book, {await_}self.push('knock', "
            "checked_payload({'times': an_integer}, {'times': times}), timeout))",
        ]
    text = shop.text("channels.py")
    for line in (
        "            timeout: Seconds for the join, the push and the reply together; None for no ",
        "        Returns:\n            A book.\n\n        Raises:\n            PushError: ",
        "            DecodeError: The reply does not match the API.\n",
    ):
        assert line in text


def test_a_push_of_nothing_with_a_reply(shop: Shop) -> None:
    add_reply(shop, "{type: array, description: Who is in., items: {type: string}}")
    shop.change(
        "        required: [times]\n        properties:\n"
        "          times: {type: integer, description: How often.}\n",
        "",
        FILE,
    )
    assert shop.run() == 0
    assert piece(shop, "channels.py", "ShelfChannel.knock").splitlines() == [
        "def knock(self, *, timeout: float | None=REPLY_WAIT) -> list[str]:",
        "    return decode_value(list_of(string), self.push('knock', {}, timeout))",
    ]


def test_a_push_with_a_reply_that_says_nothing(shop: Shop) -> None:
    add_reply(shop)
    heard = "      payload: {$ref: './openapi.yaml#/components/schemas/Book'}\n    knock"
    shop.change(f"    heard:\n{heard}", "    heard: {}\n    knock", FILE)
    assert shop.run() == 0
    assert piece(shop, "async_channels.py", "AsyncShelfChannel.knock").splitlines() == [
        "async def knock(self, *, times: int, timeout: float | None=REPLY_WAIT) -> None:",
        "    await self.push('knock', "
        "checked_payload({'times': an_integer}, {'times': times}), timeout)",
    ]
    assert "Returns:" not in shop.text("channels.py").partition("def knock")[2]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "payload: {$ref: './openapi.yaml#/components/schemas/Book'}\n    knock",
            "payload: {type: object, properties: {a: {type: string}}}\n    knock",
            "47:7: an object with fields needs a name: declare it in components",
        ),
        (
            "[{$ref: '#/channels/shelf/messages/heard'}]",
            "[{$ref: '#/channels/shelf/messages/herd'}]",
            "34:25: no 'herd' under '#/channels/shelf/messages'. Did you mean 'heard'?",
        ),
        (
            "    reply: {messages: [{$ref: '#/channels/shelf/messages/heard'}]}\n",
            "    reply: {massages: []}\n",
            "34:13: nothing reads 'massages' here. Did you mean 'messages'?",
        ),
        (
            "{$ref: '#/channels/shelf/messages/heard'}]}",
            "{$ref: '#/channels/shelf/messages/heard'}, "
            "{$ref: '#/channels/shelf/messages/knock'}]}",
            "34:5: a reply carries one thing",
        ),
        (
            "          times: {type: integer",
            "          times: {x-sdk: {name: timeout}, type: integer",
            "54:11: 'timeout': the generated method uses this name already",
        ),
        ("{push: knock}", "{push: push}", "29:3: 'push': taken by the library"),
        (
            "    x-sdk: {callback: on_book}",
            "    reply: {messages: [{$ref: '#/channels/shelf/messages/heard'}]}\n"
            "    x-sdk: {callback: on_book}",
            "22:5: only what is sent has a reply",
        ),
    ],
)
def test_mistakes_are_reported(
    shop: Shop, capsys: pytest.CaptureFixture[str], old: str, new: str, told: str
) -> None:
    add_reply(shop)
    shop.change(old, new, FILE)
    assert shop.run() == 1
    said = [line.partition("asyncapi.yaml:")[2] for line in capsys.readouterr().err.splitlines()]
    assert told in said


PROGRAM: Final = """
import asyncio, sys
from poolse import Book, DecodeError, PushError
from poolse._generated.async_channels import AsyncShopLive
from poolse._generated.channels import ShopLive
from poolse._realtime.settings import RealtimeSettings

settings = RealtimeSettings(url=sys.argv[1])

def told(error):
    return type(error).__name__, getattr(error, "path", "")

shop = ShopLive(settings, lambda _: "secret")
shelf = shop.shelf("s")
book = shelf.knock(times=1)
assert isinstance(book, Book)
print(book.title, dict(book.extra))
for times in (2, 3):
    try:
        shelf.knock(times=times)
    except (DecodeError, PushError) as error:
        print(told(error))
shop.close()

async def token(stale):
    return "secret"

async def main():
    shop = AsyncShopLive(settings, token)
    shelf = shop.shelf("s")
    book = await shelf.knock(times=1)
    print(book.title, dict(book.extra))
    for times in (2, 3):
        try:
            await shelf.knock(times=times)
        except (DecodeError, PushError) as error:
            print(told(error))
    await shop.aclose()

asyncio.run(main())
"""


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    shop = open_shop(tmp_path / "shop")
    add_reply(shop)
    tree = plant(tmp_path / "tree", spec=shop.spec)
    tree.generate()
    return tree


def test_a_push_returns_what_the_server_says(tree: Tree) -> None:
    book = {"id": "b", "number": 1, "title": "Emma", "genre": "novel", "class": "x", "new": 2}
    answers = {1: book, 2: {**book, "number": "one"}}

    def shopkeeper(frame: Frame) -> Iterable[object]:
        times = frame[4]["times"] if frame[3] == "knock" else 0
        if times in answers:
            yield ok(frame, answers[times])
        elif times:
            yield ok(frame, {"reason": "too loud"}, "error")

    with phoenix(shopkeeper) as server:
        printed = tree.python("-c", PROGRAM, server.url).splitlines()
    assert printed == ["Emma {'new': 2}", "('DecodeError', '$.number')", "('PushError', '')"] * 2
