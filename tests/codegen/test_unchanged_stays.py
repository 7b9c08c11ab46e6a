"""What the spec does not change stays as it is, to the byte; what it took away is taken away."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

import pytest

from tests.codegen.tiny_spec import Shop, open_shop

pytestmark = pytest.mark.tools

CHANGES: Final[dict[str, tuple[tuple[str, str, str], dict[str, set[str]]]]] = {
    "a text of a method": (
        ("summary: Add a book.", "summary: Add one.", "openapi.yaml"),
        {"resources.py": {"ShelfBooks"}, "async_resources.py": {"AsyncShelfBooks"}},
    ),
    "a path": (
        ("  /shelves/{shelf_id}/books:", "  /v2/shelves/{shelf_id}/books:", "openapi.yaml"),
        {
            "endpoints.py": {"LIST_BOOKS", "ADD_BOOK"},
            "resources.py": {"ShelfBooks"},
            "async_resources.py": {"AsyncShelfBooks"},
        },
    ),
    "a parameter": (
        ("description: Its tags., maxItems: 3", "description: Tags., maxItems: 4", "openapi.yaml"),
        {
            "requests.py": {"BookRequest"},
            "resources.py": {"ShelfBooks"},
            "async_resources.py": {"AsyncShelfBooks"},
        },
    ),
    "a field": (
        ("        bought_at:", "        sold: {type: boolean}\n        bought_at:", "openapi.yaml"),
        {"models.py": {"Book"}, "readers.py": {"read_book"}},
    ),
    "a value": (
        ("[crime, love-story]", "[crime, love-story, poem]", "openapi.yaml"),
        {
            "models.py": {"Genre"},
            "requests.py": {"BookRequest"},
            "resources.py": {"ShelfBooks"},
            "async_resources.py": {"AsyncShelfBooks"},
        },
    ),
    "a callback": (
        ("{callback: on_book}", "{callback: on_volume}", "asyncapi.yaml"),
        {"channels.py": {"ShelfChannel"}, "async_channels.py": {"AsyncShelfChannel"}},
    ),
    "an event": (
        (
            "          from: {type: integer,",
            "          by: {type: string}\n          from: {type: integer,",
            "asyncapi.yaml",
        ),
        {"events.py": {"BookMoved", "read_book_moved"}},
    ),
    "what is about the spec only": (
        ("operationId: addBook", "tags: [books]\n      operationId: addBook", "openapi.yaml"),
        {},
    ),
}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = open_shop(tmp_path / "shop")
    assert shop.run() == 0
    return shop


def pieces(shop: Shop) -> dict[str, dict[str, str]]:
    """The text of everything at the top of each file, by its name; of imports, by their lines."""
    return {path.name: _pieces(path.read_text("utf-8")) for path in shop.out.glob("*.py")}


def _pieces(text: str) -> dict[str, str]:
    nodes = ast.parse(text).body
    lines = text.splitlines()
    found: dict[str, str] = {}
    for node in nodes[1:]:
        target = getattr(node, "target", None)
        source = "\n".join(lines[node.lineno - 1 : node.end_lineno])
        found[getattr(node, "name", "") or getattr(target, "id", "") or source] = source
    return found


@pytest.mark.parametrize("title", CHANGES)
def test_only_what_is_changed_changes(shop: Shop, title: str) -> None:
    (old, new, file), expected = CHANGES[title]
    before = pieces(shop)
    shop.change(old, new, file)
    assert shop.run() == 0
    after = pieces(shop)
    changed = {
        name: {
            key
            for key in parts.keys() | before[name].keys()
            if parts.get(key) != before[name].get(key)
        }
        for name, parts in after.items()
        if parts != before[name]
    }
    assert changed == expected


@pytest.mark.parametrize("title", CHANGES)
def test_a_file_that_is_not_concerned_keeps_its_bytes(shop: Shop, title: str) -> None:
    (old, new, file), expected = CHANGES[title]
    before = {path.name: path.read_bytes() for path in shop.out.glob("*.py")}
    shop.change(old, new, file)
    assert shop.run() == 0
    after = {path.name: path.read_bytes() for path in shop.out.glob("*.py")}
    assert {name for name in after if after[name] != before[name]} == set(expected)


def test_a_change_and_its_opposite_leave_nothing_behind(shop: Shop) -> None:
    before = {path: path.read_bytes() for path in shop.folder.rglob("*.*")}
    for (old, new, file), _ in CHANGES.values():
        shop.change(old, new, file)
    assert shop.run() == 0
    for (old, new, file), _ in reversed(CHANGES.values()):
        shop.change(new, old, file)
    assert shop.run() == 0
    assert {path: path.read_bytes() for path in shop.folder.rglob("*.*")} == before


def test_only_files_of_an_earlier_run_are_removed(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    beside = [shop.folder / "notes.txt", shop.spec / "notes.txt", shop.folder / "out.py"]
    for path in beside:
        path.write_text("mine", "utf-8")
    manifest = shop.out / "manifest.json"
    stale = shop.out / "stale.py"
    stale.write_text("", "utf-8")
    text = manifest.read_text("utf-8")
    manifest.write_text(text.replace('"files": {', '"files": {\n    "stale.py": "",'), "utf-8")
    capsys.readouterr()
    assert shop.run() == 0
    assert f"removed {stale}" in capsys.readouterr().out.splitlines()
    assert not stale.exists()
    assert all(path.read_text("utf-8") == "mine" for path in beside)


def test_what_is_public_is_listed_the_same_everywhere(shop: Shop, tmp_path: Path) -> None:
    other = open_shop(tmp_path / "elsewhere")
    assert other.run() == 0
    lists = [(each.spec / "surface.txt").read_text("utf-8") for each in (shop, other)]
    assert lists[0] == lists[1]
    lines = lists[0].splitlines()
    assert lines[0].startswith("# The public names, one line each.")
    assert lines[1:] == sorted(set(lines[1:]))


def test_what_is_public_is_checked_too(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    path = shop.spec / "surface.txt"
    path.write_text(path.read_text("utf-8") + "more\n", "utf-8")
    capsys.readouterr()
    assert shop.run("--check") == 1
    assert capsys.readouterr().out == f"{path}: differing\n"


def test_each_kind_of_name_is_listed(shop: Shop) -> None:
    assert set((shop.spec / "surface.txt").read_text("utf-8").splitlines()) >= {
        "ApiError.code == 'gone'",
        "Book(Model)",
        "Book.bought_at: datetime | None = None",
        "Book.code: str | None = attrs.field(default=None, repr=False)",
        "BookAdded(Book)  # book:added",
        "BookMoved.from_: int",
        "BookList(Page[Book])",
        "BookRequest(TypedDict, total=False)",
        "BookRequest.title: Required[str]",
        "Genre(OpenEnum)",
        "Genre.LOVE_STORY = 'love-story'",
        "Poolse.shelves: ShelvesResource",
        "ShelfBooks.iter(self, *, after: int | Unset=UNSET, options: CallOptions | None=None)"
        " -> Iterator[Book]  # GET /shelves/{shelf_id}/books",
        "ShelfChannel.knock(self, *, times: int) -> None  # knock",
        "ShelfChannel.on_book(self, handler: Callable[[BookAdded], object]) -> Callable[[], None]"
        "  # book:added",
        "ShelfEvent = BookAdded | BookMoved | UnknownEvent",
        "ShelfHandle.books: ShelfBooks",
        "ShelfHandle.id: str",
        "ShelvesResource.one(self, id: str | UUID | ShelfHandle) -> ShelfHandle",
        "ShopLive.shelf(self, shelf_id: str | UUID | ShelfHandle) -> ShelfChannel"
        "  # shelf:{shelf_id}",
        "Timeout.of(cls, value: float | Timeout | None) -> Timeout",
        "testing.Sandbox.url: str",
        "AsyncPoolse.aclose(self) -> None",
    }


def test_branches_that_met_are_put_right_by_another_run(shop: Shop) -> None:
    before = {path: path.read_bytes() for path in shop.folder.rglob("*.*")}
    for path in (shop.out / "manifest.json", shop.out / "models.py", shop.spec / "surface.txt"):
        text = path.read_text("utf-8")
        path.write_text(f"<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> theirs\n", "utf-8")
    assert shop.run() == 0
    assert {path: path.read_bytes() for path in shop.folder.rglob("*.*")} == before
