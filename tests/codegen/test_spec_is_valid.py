"""The spec is what it says it is: OpenAPI, AsyncAPI, with examples that are true."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from jsonschema import Draft7Validator, Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from poolse._generated import models, readers
from poolse._json.codec import decode_value, missing, to_dict
from poolse._json.models import Model, Page

HERE: Final = Path(__file__).parent
SPEC: Final = HERE.parents[1] / "spec"


def load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((SPEC / name).read_text("utf-8"))
    return content


def examples() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for file in ("openapi.yaml", "asyncapi.yaml"):
        for name, schema in load(file)["components"]["schemas"].items():
            for example in schema.get("examples", ()):
                yield file, name, example


EXAMPLES: Final = list(examples())


def test_the_rest_side_is_openapi_3_1() -> None:
    assert [
        str(error) for error in OpenAPIV31SpecValidator(load("openapi.yaml")).iter_errors()
    ] == []


def complaints(schema: Validator, value: Any) -> list[str]:
    errors: list[ValidationError] = list(schema.iter_errors(value))
    return [f"{error.json_path}: {error.message}" for error in errors]


def asyncapi() -> Validator:
    schema = json.loads((HERE / "vendor" / "asyncapi-3.0.0.schema.json").read_text("utf-8"))
    return Draft7Validator(schema)


def test_the_realtime_side_is_asyncapi_3_0() -> None:
    assert complaints(asyncapi(), load("asyncapi.yaml")) == []


def test_the_schema_of_asyncapi_would_notice() -> None:
    broken = load("asyncapi.yaml")
    broken["operations"]["typing"]["action"] = "push"
    assert complaints(asyncapi(), broken) != []


def test_the_grammar_of_x_sdk_is_a_json_schema() -> None:
    grammar = json.loads((SPEC / "x-sdk.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(grammar)


def test_there_are_examples_of_every_row_that_stands_alone() -> None:
    read = [cls for cls in readers.READERS if issubclass(cls, Model) and not issubclass(cls, Page)]
    rows = {cls.__name__ for cls in read}
    declared = load("openapi.yaml")["components"]["schemas"].keys()
    assert {name for _, name, _ in EXAMPLES} >= rows & declared


@pytest.mark.parametrize(("file", "name", "example"), EXAMPLES)
def test_an_example_keeps_to_its_schema(file: str, name: str, example: dict[str, Any]) -> None:
    schema = {**load(file), "$ref": f"#/components/schemas/{name}"}
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert complaints(validator, example) == []


@pytest.mark.parametrize(("name", "example"), [one[1:] for one in EXAMPLES])
def test_an_example_goes_out_as_it_came_in(name: str, example: dict[str, Any]) -> None:
    row: Any = decode_value(readers.READERS[getattr(models, name)], example)
    assert to_dict(row) == example
    assert missing(row) == ()
    assert row.extra == {}


@pytest.mark.parametrize("path", ["openapi.yaml", "asyncapi.yaml"])
def test_no_schema_has_a_discriminator(path: str) -> None:
    assert "discriminator" not in (SPEC / path).read_text("utf-8")
