"""How a credential is sent, and where a refusal says what: as the spec has it."""

from __future__ import annotations

from datetime import UTC, datetime

import attrs
import pytest

from poolse import ApiError, UsageError, to_dict
from poolse._rest.arguments import (
    a_list_of,
    a_number_id,
    a_string,
    a_time,
    an_integer,
    an_object_with,
    any_of,
    anything,
)
from poolse._rest.call import call
from poolse._rest.endpoint import Auth, ErrorPaths
from poolse._rest.http_messages import Request
from poolse._rest.request import authorised, build, check_arguments, checked_payload
from poolse._rest.request_io import run_sync
from poolse.errors import ArgumentTypeError
from poolse.testing.factories import make_user
from poolse.types import UNSET
from tests.rest.scripted_io import LOOK, THING, ScriptedIO, answer, header, io, settings


def sent(auth: Auth, token: str = "s3cret", query: dict[str, object] | None = None) -> Request:
    return authorised(build(LOOK, {}, query, None, settings()), token, auth)


def test_as_a_header_of_its_own() -> None:
    request = sent(Auth("header", "X-Api-Key"))
    assert header(request, "X-Api-Key") == "s3cret"
    assert header(request, "Authorization") is None


def test_in_the_query() -> None:
    assert sent(Auth("query", "key"), "a&b").target == "/v1/things?key=a%26b"
    assert sent(Auth("query", "key"), query={"page": 2}).target == "/v1/things?page=2&key=s3cret"


def test_as_user_and_password() -> None:
    assert header(sent(Auth("basic"), "ada:s3cret"), "Authorization") == "Basic YWRhOnMzY3JldA=="


def test_what_no_header_can_carry_is_refused_without_being_shown() -> None:
    with pytest.raises(UsageError) as caught:
        sent(Auth("header", "X-Api-Key"), "s3\ncret")
    assert "cret" not in str(caught.value)


def test_a_parameter_that_is_a_header() -> None:
    endpoint = attrs.evolve(
        LOOK, takes={"X-Lane": a_string, "page": an_integer}, headers=("X-Lane",)
    )
    request = build(endpoint, {}, {"X-Lane": "left", "page": 2}, None, settings())
    assert request.target == "/v1/things?page=2"
    assert header(request, "X-Lane") == "left"
    with pytest.raises(ArgumentTypeError, match="X-Lane must be a str"):
        build(endpoint, {}, {"X-Lane": 7}, None, settings())
    assert header(build(endpoint, {}, {"X-Lane": UNSET}, None, settings()), "X-Lane") is None


def test_a_number_in_the_path() -> None:
    endpoint = attrs.evolve(THING, segments={"thing_id": a_number_id("thing")})
    assert build(endpoint, {"thing_id": 7}, None, None, settings()).target == "/v1/things/7"
    with pytest.raises(ArgumentTypeError, match="thing_id must be the ID of a thing, an int"):
        build(endpoint, {"thing_id": "7"}, None, None, settings())


@pytest.mark.parametrize(
    ("paths", "body", "code", "message"),
    [
        (
            ("errors", 0, "code"),
            b'{"errors": [{"code": "gone", "text": "Gone."}]}',
            "gone",
            "Gone.",
        ),
        (("errors", 0, "code"), b'{"errors": []}', "unknown_error", "HTTP 404"),
        (("kind",), b'{"kind": "gone", "text": "Gone."}', "gone", "Gone."),
        (("kind",), b"[1]", "unknown_error", "HTTP 404"),
    ],
)
def test_a_refusal_is_read_where_it_says_what(
    paths: tuple[str | int, ...], body: bytes, code: str, message: str
) -> None:
    errors = ErrorPaths(code=paths, message=(*paths[:-1], "text"), details=(), doc_url=())
    script = ScriptedIO(answer(404, body), tokens=("t",))
    with pytest.raises(ApiError) as caught:
        run_sync(call(io(script), attrs.evolve(settings(), errors=errors), LOOK, {}))
    assert (caught.value.code, caught.value.message) == (code, message)


LABEL = an_object_with(lambda: {"name": a_string, "weight": an_integer}, needs=("name",))


@pytest.mark.parametrize("value", [{"name": "a"}, {"name": "a", "weight": 1, "more": object()}])
def test_an_object_inside_of_a_request(value: object) -> None:
    assert check_arguments({"label": LABEL}, {"label": value}) == {"label": value}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (7, "label must be an object with its fields, not int"),
        ({"name": 7}, "label['name'] must be a str, not int"),
        ({"weight": 7}, "label['name'] must be a str, not UNSET"),
        ({"name": "a", "weight": "b"}, "label['weight'] must be an int, not str"),
    ],
)
def test_an_object_that_does_not_fit_names_its_field(value: object, told: str) -> None:
    with pytest.raises(ArgumentTypeError) as caught:
        check_arguments({"label": LABEL}, {"label": value})
    assert caught.value.message == told


def test_a_value_of_several_kinds() -> None:
    kind = any_of(an_integer, a_list_of(a_string))
    assert check_arguments({"to": kind}, {"to": 7}) == {"to": 7}
    assert check_arguments({"to": kind}, {"to": ["a"]}) == {"to": ["a"]}
    with pytest.raises(ArgumentTypeError, match=r"to must be an int or a list of str, not str"):
        check_arguments({"to": kind}, {"to": "a"})
    with pytest.raises(ArgumentTypeError, match=r"to\[1\] must be a str, not int"):
        check_arguments({"to": kind}, {"to": ["a", 7]})


def test_what_a_push_leaves_out_is_not_sent() -> None:
    takes = {"to": a_string, "media": a_string}
    assert checked_payload(takes, {"to": "a", "media": UNSET}) == {"to": "a"}
    with pytest.raises(ArgumentTypeError, match="media must be a str, not int"):
        checked_payload(takes, {"to": "a", "media": 7})


def test_a_push_sends_times_as_text_and_models_as_objects() -> None:
    user = make_user()
    fields = {"at": datetime(2026, 6, 1, 9, 30, tzinfo=UTC), "users": [user]}
    payload = checked_payload({"at": a_time, "users": a_list_of(anything)}, fields)
    assert payload == {"at": "2026-06-01T09:30:00Z", "users": [to_dict(user)]}
    with pytest.raises(UsageError, match="rate: cannot be sent as JSON: JSON has no nan"):
        checked_payload({}, {"rate": float("nan")})
