"""`python -m codegen diff`: what it compares, prints and returns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import poolse
from codegen.__main__ import main
from codegen.apidiff.compare import compare
from codegen.apidiff.cross_check import disagreements
from codegen.apidiff.report import Release, release_of
from codegen.apidiff.rules import Verdict
from codegen.package_symbols import Package, Symbol
from tests.codegen.project_copy import ROOT, plant
from tests.codegen.tiny_spec import Shop, open_shop

pytestmark = pytest.mark.tools

NOW = poolse.version
NEXT = f"0.{int(NOW.split('.')[1]) + 1}.0"
TAKEN = (
    "self, title: str, *, genre: Genre | Literal['crime', 'love-story'] | Unset=UNSET,"
    " tags: Sequence[str] | Unset=UNSET, key: str | Unset=UNSET, options: CallOptions | None=None"
)
VERSION = f'version: str = "{NOW}"'


@pytest.fixture
def shops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Shop, Shop]:
    """An old spec, and a new one in which a method was renamed and a value added."""
    monkeypatch.chdir(tmp_path)
    old, new = open_shop(tmp_path / "old"), open_shop(tmp_path / "new")
    new.change("method: add,", "method: put, was: [{method: add, since: '1.1', until: '2.0'}],")
    new.change("enum: [crime, love-story]", "enum: [crime, love-story, poem]")
    new.change("        bought_at: {type: string, format: date-time}\n", "")
    return old, new


def run(shops: tuple[Shop, Shop], *arguments: str) -> int:
    return main(["diff", *(str(shop.spec) for shop in shops), *arguments])


def test_each_change_is_reported_with_its_place(
    shops: tuple[Shop, Shop], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(shops, "--old-version", "1.4.0", "--version", "1.4.2") == 0
    assert capsys.readouterr().out.splitlines() == [
        "book.bought_at",
        "  old/spec/openapi.yaml:69:9: major: removed: `Book.bought_at`",
        "      Do without it.",
        "    - Book.bought_at: datetime | None = None",
        "shelf.books.put()",
        "  new/spec/openapi.yaml:35:5: minor: renamed: `ShelfBooks.add()` is `ShelfBooks.put()`"
        " now; the old name works until 2.0",
        "      Use the new name before 2.0.",
        f"    - ShelfBooks.add({TAKEN}) -> Book",
        "    + ShelfBooks.put({}) -> Book".format(
            TAKEN.replace("love-story'", "love-story', 'poem'")
        ),
        "Genre.POEM",
        "  new/spec/openapi.yaml:75:5: minor: added value: `Genre.POEM`",
        "      `match` with `assert_never` needs a case for it.",
        "    + Genre.POEM = 'poem'",
        "wire: `Book.bought_at`; a server of 1.0.0 may not suit older clients",
        "verdict: major: from 1.4.0 to at least 2.0.0; now it is 1.4.2",
        "",
        "### Added",
        "",
        "- `Genre.POEM`.",
        "",
        "### Changed",
        "",
        "- `ShelfBooks.add()` is `ShelfBooks.put()` now; the old name works until 2.0.",
        "",
        "### Removed",
        "",
        "- `Book.bought_at`.",
    ]


def test_it_can_be_had_as_json(
    shops: tuple[Shop, Shop], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(shops, "--json", "--old-version", "0.3.1") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["from"], told["needed"]) == ("major", "0.3.1", "0.4.0")
    assert told["changes"][0] == {
        "way": "book.bought_at",
        "rule": "removed",
        "verdict": "major",
        "group": "Removed",
        "name": "Book.bought_at",
        "old": "Book.bought_at",
        "new": "",
        "text": "`Book.bought_at`",
        "advice": "Do without it.",
        "file": "old/spec/openapi.yaml",
        "line": 69,
        "column": 9,
    }
    assert told["changelog"].startswith("### Added\n\n- `Genre.POEM`.\n")
    assert told["wire"] == ["`Book.bought_at`; a server of 1.0.0 may not suit older clients"]


@pytest.mark.parametrize(
    ("old", "now", "status"),
    [
        ("1.4.0", "1.9.9", 1),
        ("1.4.0", "2.0.0", 0),
        ("0.4.0", "0.4.9", 1),
        ("0.4.0", "0.5.0", 0),
    ],
)
def test_a_version_that_is_too_low(
    shops: tuple[Shop, Shop], capsys: pytest.CaptureFixture[str], old: str, now: str, status: int
) -> None:
    versions = ("--old-version", old, "--version", now)
    assert run(shops, *versions) == 0
    capsys.readouterr()
    assert run(shops, *versions, "--fail-below") == status
    said = f"the version is {now}: it must be at least {release_of(old).after(Verdict.MAJOR)}\n"
    assert capsys.readouterr().err == (said if status else "")


@pytest.mark.parametrize(
    ("version", "after"),
    [
        ("1.2.3", ["1.2.3", "1.2.4", "1.3.0", "2.0.0"]),
        ("0.2.3", ["0.2.3", "0.2.4", "0.2.4", "0.3.0"]),
    ],
)
def test_the_version_that_a_verdict_asks_for(version: str, after: list[str]) -> None:
    assert [str(release_of(version).after(verdict)) for verdict in Verdict] == after


def test_a_version_is_found_in_its_module() -> None:
    assert release_of('"""Text."""\nversion = "1.22.3"\n"""More."""\n') == Release(1, 22, 3)
    with pytest.raises(ValueError, match="not a version: 'soon'"):
        release_of("soon")


def test_the_same_spec_is_no_change(
    shops: tuple[Shop, Shop], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run((shops[0], shops[0]), "--old-version", "1.0.0", "--version", "1.0.0") == 0
    assert (
        capsys.readouterr().out == "verdict: none: from 1.0.0 to at least 1.0.0; now it is 1.0.0\n"
    )


def test_a_revision_is_compared_with_what_is_there(tmp_path: Path) -> None:
    tree = plant(tmp_path / "tree", git=True)
    tree.replace("spec/openapi.yaml", "method: mark_read\n", "method: note_read\n")
    tree.replace(
        "spec/openapi.yaml", "messages.mark_read(message_id)", "messages.note_read(message_id)"
    )
    line = (
        (tree.path / "spec/openapi.yaml").read_text().partition("method: note_read")[0].count("\n")
    )
    told = tree.diff("--base", "start").splitlines()
    # The operation begins some lines above its x-sdk.
    assert told[0] == "conversation.messages.note_read()"
    place, _, text = told[1].strip().partition(": ")
    assert text == (
        "major: renamed at once: `ConversationMessages.mark_read()` is"
        " `ConversationMessages.note_read()` now, and the old name is gone"
    )
    assert place == f"spec/openapi.yaml:{line - 5}:5"
    assert (
        f"verdict: major, which before 1.0 is minor: from {NOW} to at least {NEXT}; now it is {NOW}"
    ) in told
    refused = tree.diff("--base", "start", "--fail-below", expect=1)
    assert refused.endswith(f"the version is {NOW}: it must be at least {NEXT}\n")
    tree.replace("poolse/_support/version.py", VERSION, f'version: str = "{NEXT}"')
    assert f"now it is {NEXT}" in tree.diff("--base", "start", "--fail-below")
    unknown = tree.diff("--base", "no-such-revision", expect=2)
    assert "not a valid object name: no-such-revision" in unknown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "what to compare with: --base REV, or an old and a new folder"),
        (["--base", "--help-me"], "expected one argument"),
        (["--base", "HEAD", "old"], "either --base or two folders"),
        (["old", "new"], "old/openapi.yaml:1:1: cannot be read: No such file or directory"),
    ],
)
def test_what_cannot_be_compared(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        status = main(["diff", *arguments])
    except SystemExit as stop:
        status = int(str(stop.code))
    assert status == 2
    assert said in capsys.readouterr().err


def test_an_old_spec_need_not_be_what_is_asked_of_one_now(
    shops: tuple[Shop, Shop], capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = shops
    good, bad = "title: {type: string, description: Its title.}", "title: {type: string, title: T}"
    for shop in shops:
        shop.change(good, bad)
    assert run(shops, "--old-version", "1.0.0") == 2
    assert "'title' needs a description" in capsys.readouterr().err
    new.change(bad, good)
    assert run((old, new), "--old-version", "1.0.0") == 0


def package(folder: Path, text: str) -> tuple[Path, list[Symbol]]:
    """A folder with a package of one file, and what is public of it."""
    (folder / "poolse").mkdir(parents=True)
    (folder / "poolse" / "__init__.py").write_text(text, "utf-8")
    names = Package(folder).exports("poolse")
    return folder, list(Package(folder).symbols({name: ("poolse", name) for name in names}))


def test_a_break_that_only_one_sees_is_reported(tmp_path: Path) -> None:
    old, before = package(tmp_path / "old", "__all__ = ['go']\n\n\ndef go(): ...\n")
    new, now = package(tmp_path / "new", "__all__ = []\n")
    changes = compare(before, now)
    assert disagreements((old, new), (before, now), changes) == []
    assert disagreements((old, new), (before, now), []) == [
        "only griffe sees this break: go: Public object was removed"
    ]
    assert disagreements((old, old), (before, now), changes) == [
        "griffe does not see this break: `go()`"
    ]


def test_it_ends_quietly_when_nobody_reads_on(shops: tuple[Shop, Shop]) -> None:
    # As `codegen diff … | head` has it: the reader is gone before anything is written.
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "codegen", "diff", *(str(shop.spec.resolve()) for shop in shops)],
        cwd=ROOT,
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
