"""What comes out for a parameter that can be passed by another ID, which a list has too."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.apidiff.compare import compare
from codegen.build_api import build
from codegen.public_names import spec_symbols
from tests.codegen.source_pieces import piece
from tests.codegen.tiny_spec import Shop, open_shop

PLAIN = """\
  /shelves/{shelf_id}/fans:
    parameters:
      - {name: shelf_id, in: path, required: true, description: The shelf., schema: {type: string}}
    get:
      operationId: listFans
      summary: List the fans.
      x-sdk: {resource: shelves(shelf_id), method: list_fans}
      responses:
        '200':
          description: All fans.
          content: {application/json: {schema: {$ref: '#/components/schemas/FanList'}}}
  /shelves/{shelf_id}/fans/{fan}:
    parameters:
      - {name: shelf_id, in: path, required: true, description: The shelf., schema: {type: string}}
    delete:
      operationId: dropFan
      summary: Drop a fan.
      x-sdk: {resource: shelves(shelf_id), method: drop_fan, positional: [fan]}
      parameters:
        - name: fan
          in: path
          required: true
          description: Its key.
          schema: {type: string}
      responses:
        '204': {description: Dropped.}
"""
FANS = """\
    Fan:
      type: object
      description: A fan.
      required: [key, nick, age]
      properties:
        key: {type: string, description: Its key.}
        nick: {type: string, description: Its nick.}
        age: {type: integer, description: Its age.}
    FanList:
      type: object
      required: [data]
      properties:
        data: {type: array, items: {$ref: '#/components/schemas/Fan'}}
"""
ONE = "{param: nick, through: listFans, from: nick, to: key, description: Its nick., since: '1.1'}"
TAGS = "{param: tag_nicks, through: listFans, from: nick, to: key, description: Nicks of its fans.}"


def open_with(folder: Path, paths: str) -> Shop:
    shop = open_shop(folder)
    shop.change("paths:\n", f"paths:\n{paths}")
    shop.change("    Genre: {type: string,", f"{FANS}    Genre: {{type: string,")
    return shop


@pytest.fixture
def before(tmp_path: Path) -> Shop:
    return open_with(tmp_path / "before", PLAIN)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    place = "description: Its key.\n          schema: {type: string}"
    told = place.replace("string}", f"string, x-sdk: {{translate: {ONE}}}}}")
    shop = open_with(tmp_path / "shop", PLAIN.replace(place, told))
    shop.change("description: Its tags.,", f"x-sdk: {{translate: {TAGS}}}, description: Its tags.,")
    return shop


def test_one_of_two_is_needed(shop: Shop) -> None:
    assert shop.run() == 0
    handle = " ".join(piece(shop, "resources.py", "ShelfHandle").split())
    options = "*, options: CallOptions | None=None"
    assert (
        f"@overload def drop_fan(self, fan: str, {options}) -> None: pass "
        f"@overload def drop_fan(self, *, nick: str, {options[3:]}) -> None: pass "
        "def drop_fan(self, fan: str | Unset=UNSET, *, nick: str | Unset=UNSET, "
        "options: CallOptions | None=None) -> None: "
        "fan = self._core.translated(DROP_FAN_NICK, self._path, fan, nick, options) "
        "return self._core.call(DROP_FAN, {**self._path, 'fan': fan}, options=options)"
    ) in handle.replace(": ...", ": pass")
    assert piece(shop, "endpoints.py", "DROP_FAN_NICK") == (
        "DROP_FAN_NICK: Final[Translation[FanList]] = Translation(endpoint=LIST_FANS, "
        "method='list_fans', items=lambda page: needed(page.data, '$.data'), known='nick', "
        "wanted='key', param='nick', takes=a_string, target='fan', is_needed=True, is_list=False)"
    )


def test_a_list_that_may_be_left_out(shop: Shop) -> None:
    shop.run()
    add = piece(shop, "async_resources.py", "AsyncShelfBooks.add").splitlines()
    assert "tag_nicks: Sequence[str] | Unset=UNSET" in add[0]
    assert [line.strip() for line in add[1:3]] == [
        "if tag_nicks is not UNSET:",
        "tags = await self._core.translated(ADD_BOOK_TAG_NICKS, self._path, tags, tag_nicks, "
        "options)",
    ]
    assert "is_needed=False, is_list=True" in piece(shop, "endpoints.py", "ADD_BOOK_TAG_NICKS")
    # What is sent has no such field.
    assert "nicks" not in shop.text("requests.py")
    text = shop.text("resources.py")
    assert "nick: Its nick. New in 1.1." in text
    assert "UsageError: An argument is invalid, or `nick` is not in the list." in text


def test_what_it_means(before: Shop, shop: Shop) -> None:
    apis = [build(one.spec) for one in (before, shop)]
    changes = compare(*map(spec_symbols, apis), is_same=False)
    assert [f"{c.rule.verdict} {c.kind}: {c.text}" for c in changes] == [
        "minor required off: `ShelfHandle.drop_fan(fan=)` may be left out",
        "minor added: `ShelfHandle.drop_fan(nick=)`",
        "minor added: `ShelfBooks.add(tag_nicks=)`",
    ]
    changes = compare(*map(spec_symbols, reversed(apis)), is_same=False)
    assert [f"{c.rule.verdict} {c.kind}" for c in changes] == [
        "major required on",
        "major removed",
        "major removed",
    ]


def test_another_list_is_a_change_on_the_wire(shop: Shop) -> None:
    old = build(shop.spec)
    shop.change("through: listFans, from: nick, to: key, description: Nicks", TURNED)
    changes = compare(*map(spec_symbols, (old, build(shop.spec))), is_same=False)
    assert [f"{c.rule.verdict} {c.kind}: {c.text}" for c in changes] == [
        "patch wire: `ShelfBooks.add(tag_nicks=)` is `LIST_FANS key as tags` on the wire, not "
        "`LIST_FANS nick as tags`"
    ]


TURNED = "through: listFans, from: key, to: nick, description: Nicks"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "{param: nick, through: listFans,",
            "{param: nick, through: listFan,",
            "no 'listFan' in the operations. Did you mean 'listFans'?",
        ),
        (
            "{param: nick, through: listFans,",
            "{param: nick, through: listBooks,",
            "it does not return the whole list at once",
        ),
        (
            "{param: nick, through: listFans,",
            "{param: nick, through: dropFan,",
            "it returns no list of objects",
        ),
        (
            "{param: nick, through: listFans,",
            "{param: nick, through: addBook,",
            "it needs more than the values of the path that are known here",
        ),
        (
            "from: nick, to: key, description: Its",
            "from: nic, to: key, description: Its",
            "no 'nic' in the items. Did you mean 'nick'?",
        ),
        (
            "from: nick, to: key, description: Its",
            "from: nick, to: age, description: Its",
            "'age' is not a string",
        ),
        ("{param: nick,", "{param: fan,", "'fan': the generated method uses this name already"),
        (
            "{param: nick, through: listFans,",
            "{through: listFans,",
            "x-sdk: 'param' is a required property",
        ),
        (
            "times: {type: integer,",
            f"times: {{x-sdk: {{translate: {ONE}}}, type: integer,",
            "nothing reads 'translate' here",
        ),
        (
            "after, in: query, description: Where to start., schema: {type: integer}",
            "after, in: query, description: Where to start., "
            f"schema: {{type: string, x-sdk: {{translate: {ONE}}}}}",
            "'translate' does not go with 'paginate'",
        ),
        (
            "key: {type: string, description: Its key., x-sdk: {generate: uuid4}}",
            f"key: {{type: integer, description: Its key., x-sdk: {{translate: {ONE}}}}}",
            "'key' is neither a string nor a list of strings",
        ),
    ],
)
def test_mistakes_are_reported(
    shop: Shop, capsys: pytest.CaptureFixture[str], old: str, new: str, told: str
) -> None:
    file = "asyncapi.yaml" if old.startswith("times") else "openapi.yaml"
    shop.change(old, new, file)
    assert shop.run() == 1
    lines = [line.partition(": ")[2] for line in capsys.readouterr().err.splitlines()]
    assert told in lines


LIFTED = "bought_at: {type: string, format: date-time}"
FANNED = "fans: {type: array, items: {$ref: '#/components/schemas/Fan'}, x-sdk: {lift: [nick]}}"


def test_a_field_of_the_items_is_one_of_the_whole(shop: Shop) -> None:
    shop.change(LIFTED, FANNED)
    assert shop.run() == 0
    text = piece(shop, "models.py", "Book.nick")
    assert text.splitlines() == [
        "@property",
        "def nick(self) -> str | None:",
        "    found: str | None = first_in(self.fans, 'nick')",
        "    return found",
    ]
    assert "Book.nick: str | None" in (shop.spec / "surface.txt").read_text("utf-8")


@pytest.mark.parametrize(
    ("new", "told"),
    [
        (FANNED.replace("[nick]", "[nic]"), "the items have no 'nic'. Did you mean 'nick'?"),
        ("tale: {type: string, x-sdk: {lift: [a]}}", "'lift' needs a list of objects with fields"),
        (
            FANNED.replace("[nick]", "[key]") + "\n        key: {type: string}",
            "'key': taken already (at ",
        ),
    ],
)
def test_wrong_lifts_are_reported(
    shop: Shop, capsys: pytest.CaptureFixture[str], new: str, told: str
) -> None:
    shop.change(LIFTED, new)
    assert shop.run() == 1
    assert told in capsys.readouterr().err
