"""What fits a field of a request, and in which words the rest is refused."""

from __future__ import annotations

from collections import UserDict, deque
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any

import attrs
import pytest

from poolse import UNSET, ArgumentTypeError, CallOptions, UsageError
from poolse._rest.arguments import (
    Kind,
    a_boolean,
    a_list_of,
    a_number,
    a_string,
    a_time,
    an_integer,
    an_object,
    an_object_of,
    anything,
    or_none,
)
from poolse._rest.call import call
from poolse._rest.http_messages import RequestBody
from poolse._rest.raw_calls import raw_endpoint
from poolse._rest.request import build
from poolse._rest.request_io import run_sync
from poolse.types import OpenEnum
from tests.rest.scripted_io import LOOK, THING, ScriptedIO, io, settings


class Colour(OpenEnum):
    RED = "red"


class Size(IntEnum):
    BIG = 7


class Word(StrEnum):
    YES = "yes"


NAIVE = datetime(2026, 6, 1)  # noqa: DTZ001
AWARE = datetime(2026, 6, 1, tzinfo=UTC)


def post(kind: Kind, value: object) -> bytes | RequestBody | None:
    endpoint = attrs.evolve(THING, takes={"field": kind})
    return build(endpoint, {"thing_id": "7"}, None, {"field": value}, settings()).content


def test_what_cannot_be_left_out_is_refused_by_name() -> None:
    needy = attrs.evolve(THING, needs=("field",))
    with pytest.raises(ArgumentTypeError, match=r"^field cannot be left out: pass a value"):
        build(needy, {"thing_id": "7"}, None, {"field": UNSET}, settings())
    with pytest.raises(ArgumentTypeError, match=r"^field cannot be left out: pass a value"):
        build(attrs.evolve(LOOK, needs=("field",)), {}, {"field": UNSET}, None, settings())


def test_the_one_item_of_a_list_is_called_what_the_caller_calls_it() -> None:
    with pytest.raises(ArgumentTypeError, match=r"^friend must be a str, not int$"):
        post(a_list_of(a_string, "friend"), [5])


@pytest.mark.parametrize(
    ("kind", "value", "sent"),
    [
        (a_string, "text", b'"text"'),
        (a_string, Colour.RED, b'"red"'),
        (a_string, Word.YES, b'"yes"'),
        (an_integer, 7, b"7"),
        (an_integer, Size.BIG, b"7"),
        (a_number, 7, b"7"),
        (a_number, 0.5, b"0.5"),
        (a_boolean, False, b"false"),
        (a_time, AWARE, b'"2026-06-01T00:00:00Z"'),
        (an_object, UserDict({"a": [1, None]}), b'{"a":[1,null]}'),
        (anything, [None], b"[null]"),
        (a_list_of(a_string), ["a"], b'["a"]'),
        (a_list_of(a_string), ("a", "b"), b'["a","b"]'),
        (a_list_of(a_string), deque("ab"), b'["a","b"]'),
        (an_object_of(an_integer), {"a": 1}, b'{"a":1}'),
        (or_none(a_string), None, b"null"),
        (or_none(a_list_of(a_string)), ["a"], b'["a"]'),
    ],
)
def test_what_fits_is_sent(kind: Kind, value: object, sent: bytes) -> None:
    assert post(kind, value) == b'{"field":' + sent + b"}"


@pytest.mark.parametrize(
    ("kind", "value", "complaint"),
    [
        (a_string, 7, "field must be a str, not int"),
        (a_string, None, "field must be a str, not None"),
        (a_string, b"text", "field must be a str, not bytes"),
        (or_none(a_string), 7, "field must be a str or None, not int"),
        (an_integer, True, "field must be an int, not bool"),
        (an_integer, 7.0, "field must be an int, not float"),
        (a_number, True, "field must be a float or int, not bool"),
        (a_boolean, 1, "field must be a bool, not int"),
        (a_time, "2026", "field must be an aware datetime, not str"),
        (
            a_time,
            NAIVE,
            "field must be an aware datetime, not datetime: "
            "add tzinfo=datetime.UTC to this naive one",
        ),
        (an_object, [], "field must be a mapping of str to values, not list"),
        (
            an_object,
            {1: "a"},
            "field must be a mapping of str to values, not dict: its keys must be str",
        ),
        (a_list_of(a_string), "a", "field must be a list of str, not str: put it in a list"),
        (a_list_of(a_string), b"a", "field must be a list of str, not bytes: put it in a list"),
        (a_list_of(a_string), {"a"}, "field must be a list of str, not set"),
        (a_list_of(a_string), ["a", 7], "field[1] must be a str, not int"),
        (or_none(a_list_of(an_integer)), [None], "field[0] must be an int, not None"),
        (an_object_of(an_integer), {"a": "b"}, "field['a'] must be an int, not str"),
        (
            an_object_of(a_list_of(a_string)),
            {"a": ["b", 7]},
            "field['a'][1] must be a str, not int",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_words(kind: Kind, value: object, complaint: str) -> None:
    with pytest.raises(ArgumentTypeError) as caught:
        post(kind, value)
    assert str(caught.value) == complaint
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, UsageError)


def test_fields_of_a_query_are_judged_but_for_those_that_are_left_out() -> None:
    endpoint = attrs.evolve(LOOK, takes={"limit": an_integer})
    for absent in (None, UNSET):
        assert build(endpoint, {}, {"limit": absent}, None, settings()).url.endswith("/things")
    with pytest.raises(ArgumentTypeError, match="limit must be an int, not str"):
        build(endpoint, {}, {"limit": "7"}, None, settings())


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ({"at": NAIVE}, r"^custom_data: .*needs an offset: add tzinfo=datetime\.UTC$"),
        ({"tags": {1}}, "^custom_data: .*set"),
        ({"photo": b"s3cret"}, "^custom_data: .*bytes"),
        ({"score": float("nan")}, "^custom_data: .*nan"),
        ({"a": {7: "b"}}, "^custom_data: .*a key must be a str, not int"),
        ({"a": {AWARE: "b"}}, "^custom_data: .*a key must be a str, not datetime"),
    ],
)
def test_what_lies_deeper_is_refused_under_the_name_of_its_field(
    value: dict[str, object], complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint) as caught:
        post_custom(value)
    assert "s3cret" not in str(caught.value)


def post_custom(value: object) -> None:
    endpoint = attrs.evolve(THING, takes={"custom_data": an_object})
    build(endpoint, {"thing_id": "7"}, None, {"custom_data": value}, settings())


@pytest.mark.parametrize("value", [[{"a": 1}], {"a": 1}, b"a", NAIVE, float("inf"), "\ud800"])
def test_a_value_that_no_query_can_say_is_refused_by_name(value: object) -> None:
    with pytest.raises(UsageError, match="when"):
        build(LOOK, {}, {"when": value}, None, settings())


def test_a_list_repeats_its_name_in_the_query() -> None:
    request = build(LOOK, {}, {"tag": ["a b", "c"], "page": 2}, None, settings())
    assert request.target == "/v1/things?tag=a%20b&tag=c&page=2"


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (AWARE, "2026-06-01T00%3A00%3A00Z"),
        (True, "true"),
        (Colour.RED, "red"),
        (Size.BIG, "7"),
        (0.5, "0.5"),
    ],
)
def test_a_query_says_values_as_json_would(value: object, sent: str) -> None:
    url = build(LOOK, {}, {"when": value}, None, settings()).url
    assert url.partition("?")[2] == f"when={sent}"


@pytest.mark.parametrize("query", [[("a", 1)], "a=1", {1: "a"}])
def test_a_query_that_is_no_mapping_of_names_is_refused(query: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="query must be a"):
        build(LOOK, {}, query, None, settings())


@pytest.mark.parametrize("body", [{1: "a"}, {None: "a"}])
def test_a_body_has_names(body: object) -> None:
    with pytest.raises(ArgumentTypeError, match="a name in body must be a str, not"):
        build(THING, {"thing_id": "7"}, None, body, settings())


@pytest.mark.parametrize(
    ("method", "path", "complaint"),
    [
        (7, "/v1/x", "method must be a str, not int"),
        ("GE T", "/v1/x", "method must be a plain word"),
        ("GET", b"/v1/x", "path must be a str, not bytes"),
        ("GET", "/v1/a b", "path must be percent-encoded"),
        ("GET", "/v1/ü", "path must be percent-encoded"),
        ("GET", "/v1/x#y", "path must be percent-encoded"),
        ("GET", "/v1/x\r\nX: y", "path must be percent-encoded"),
    ],
)
def test_a_raw_call_is_judged_too(method: Any, path: Any, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        raw_endpoint(method, path)


@pytest.mark.parametrize("method", ["GET", "head"])
def test_a_raw_call_that_changes_nothing_has_no_body(method: str) -> None:
    with pytest.raises(UsageError, match=f"a {method.upper()} has no body: pass it as query"):
        raw_endpoint(method, "/v1/x", {"a": 1})


def test_a_raw_path_may_lack_its_slash() -> None:
    assert raw_endpoint("GET", "v1/x").path == "/v1/x"


def test_a_raw_path_may_have_a_query_of_its_own() -> None:
    url = build(raw_endpoint("get", "/v1/x?a=1"), {}, {"b": 2}, None, settings()).url
    assert url == "https://api.test/v1/x?a=1&b=2"


@pytest.mark.parametrize("name", ["path", "query", "body", "deep in the body"])
def test_nothing_happens_before_all_arguments_are_judged(name: str) -> None:
    """No key, no id, no token: a call that cannot be sent leaves no trace."""
    made: list[str] = []

    def make() -> str:
        made.append("something")
        return "made"

    terms = attrs.evolve(settings(), new_key=make, new_id=make)
    endpoint = attrs.evolve(THING, takes={"n": an_integer, "at": an_integer}, generate=("id",))
    wrong: dict[str, dict[str, Any]] = {
        "path": {"path": {"thing_id": 7}},
        "query": {"query": {"at": "7"}},
        "body": {"body": {"n": "7"}},
        "deep in the body": {"body": {"other": {"a": {1, 2}}}},
    }
    script = ScriptedIO(tokens=())
    arguments: dict[str, Any] = {"path": {"thing_id": "7"}, "body": {}, **wrong[name]}
    with pytest.raises(UsageError):
        run_sync(call(io(script), terms, endpoint, **arguments))
    assert (made, script.sent) == ([], [])


@pytest.mark.parametrize("key", [7, None, "a\nb", " "])
def test_a_key_that_no_header_can_carry_is_refused(key: Any) -> None:
    terms = attrs.evolve(settings(), new_key=lambda: key)
    with pytest.raises(UsageError, match="Idempotency-Key"):
        build(THING, {"thing_id": "7"}, None, {}, terms)


def test_a_key_that_is_empty_is_refused() -> None:
    terms = attrs.evolve(settings(), new_key=str)
    with pytest.raises(UsageError, match="generate_idempotency_key returned an empty key"):
        build(THING, {"thing_id": "7"}, None, {}, terms)


def test_the_key_of_the_caller_is_the_one_that_is_sent() -> None:
    terms = settings().for_call(CallOptions(idempotency_key="mine"))
    headers = dict(build(THING, {"thing_id": "7"}, None, {}, terms).headers)
    assert headers["Idempotency-Key"] == "mine"
