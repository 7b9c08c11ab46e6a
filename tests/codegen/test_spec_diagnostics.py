"""Mistakes in a spec: told exactly, where they are, all at once, and with nothing written."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.codegen.tiny_spec import Shop, open_shop

pytestmark = pytest.mark.tools

EVENTS: Final = "asyncapi.yaml"
CASES: Final[list[dict[str, Any]]] = yaml.safe_load(
    Path(__file__).with_name("invalid_specs.yaml").read_text("utf-8")
)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.chdir(tmp_path)
    return open_shop(tmp_path)


def told(shop: Shop, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What the generator complains about. It has written nothing then."""
    assert shop.run() == 1
    assert not shop.out.exists()
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['replace']} -> {case['by']}")
def test_a_mistake_is_reported_where_it_is(
    shop: Shop, capsys: pytest.CaptureFixture[str], case: dict[str, Any]
) -> None:
    shop.change(case["replace"], case["by"], case["in"])
    assert told(shop, capsys) == case["told"]


def test_all_mistakes_are_reported_in_the_order_of_the_files(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.change("positional: [title]", "positional: [titel]")
    shop.change("order: asc", "order: asc, sise: limit")
    shop.change("errors: [gone]", "errors: [gonne]")
    shop.change("replay: last", "replai: last", EVENTS)
    assert told(shop, capsys) == [
        "spec/asyncapi.yaml:27:33: x-sdk: unknown field 'replai' for receive. "
        "Did you mean 'replay'?",
        "spec/openapi.yaml:23:72: x-sdk: unknown field 'sise' for operation",
        "spec/openapi.yaml:24:18: no error code 'gonne'. Did you mean 'gone'?",
        "spec/openapi.yaml:38:76: no parameter 'titel'. Did you mean 'title'?",
    ]


def test_a_missing_file_is_reported(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    (shop.spec / EVENTS).unlink()
    assert "spec/asyncapi.yaml:1:1: cannot be read: No such file or directory" in told(shop, capsys)


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "is empty"), ("# nothing yet\n", "is empty"), ("- a\n", "must be a mapping with keys")],
)
@pytest.mark.parametrize("name", ["openapi.yaml", EVENTS])
def test_a_file_with_nothing_in_it_is_reported(
    shop: Shop, capsys: pytest.CaptureFixture[str], name: str, text: str, said: str
) -> None:
    """Or all that was generated before would be replaced by nothing."""
    (shop.spec / name).write_text(text, "utf-8")
    assert told(shop, capsys) == [f"spec/{name}:1:1: {said}"]


def test_plain_words_of_yaml_1_1_stay_words(shop: Shop) -> None:
    shop.change("enum: [crime, love-story]", "enum: [no, on, 2026-01-01, 12:30:00]")
    assert shop.run() == 0
    for value in ("no", "on", "2026-01-01", "12:30:00"):
        assert f'= "{value}"' in shop.text("models.py")
