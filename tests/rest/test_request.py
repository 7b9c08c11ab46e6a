"""Endpoint and arguments become a request."""

from __future__ import annotations

from urllib.parse import unquote

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolse import UNSET
from poolse._rest.call import call
from poolse._rest.http_messages import Request
from poolse._rest.request import authorised, build
from poolse._rest.request_io import run_sync
from tests.rest.scripted_io import LOOK, THING, ScriptedIO, answer, header, io, settings


def path_of(thing_id: str) -> str:
    return build(THING, {"thing_id": thing_id}, None, None, settings()).url


@given(st.text(min_size=1).filter(lambda text: text not in (".", "..")))
def test_a_path_value_is_one_segment_and_comes_back_the_same(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        return
    segment = path_of(value).removeprefix("https://api.test/v1/things/")
    assert unquote(segment) == value
    assert not set("/?#") & set(segment)


@pytest.mark.parametrize(
    ("value", "sent"),
    [("a/b", "a%2Fb"), ("../me", "..%2Fme"), ("a?b#c", "a%3Fb%23c"), ("%", "%25")],
)
def test_a_path_value_reaches_no_other_path(value: str, sent: str) -> None:
    assert path_of(value) == f"https://api.test/v1/things/{sent}"


def test_half_a_character_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="thing_id has half a character"):
        path_of("\ud800")


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_a_path_value_that_would_address_something_else_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="thing_id"):
        path_of(value)


def test_an_id_that_is_no_text_is_refused() -> None:
    with pytest.raises(TypeError, match="thing_id must be a str, not int"):
        path_of(7)  # type: ignore[arg-type]


def test_query_values_that_are_left_out_or_none_are_not_sent() -> None:
    query = {"a": 0, "b": None, "c": UNSET, "d": "x y&z", "e": True}
    url = build(LOOK, {}, query, None, settings()).url
    assert url == "https://api.test/v1/things?a=0&d=x%20y%26z&e=true"


def test_unset_leaves_a_body_field_out_and_none_sends_null() -> None:
    request = build(THING, {"thing_id": "7"}, None, {"a": UNSET, "b": None}, settings())
    assert request.content == b'{"b":null}'
    assert header(request, "Content-Type") == "application/json"


@pytest.mark.parametrize("given", [{}, {"id": UNSET}, {"id": None}])
def test_the_client_makes_the_id_that_the_caller_leaves_out(given: dict[str, object]) -> None:
    endpoint = attrs.evolve(THING, generate=("id",))
    request = build(endpoint, {"thing_id": "7"}, None, given, settings())
    assert request.content == b'{"id":"id-1"}'


def test_an_id_of_the_caller_is_kept() -> None:
    endpoint = attrs.evolve(THING, generate=("id",))
    request = build(endpoint, {"thing_id": "7"}, None, {"id": "mine"}, settings())
    assert request.content == b'{"id":"mine"}'


@pytest.mark.parametrize("token", ["a\nb", "a\r\nX-Evil: 1", "tök", "a\x00"])
def test_a_token_that_http_cannot_carry_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(ValueError, match="Authorization") as caught:
        authorised(Request.to("GET", "https://api.test/", [], None), token)
    assert token not in str(caught.value)


def test_a_header_of_the_caller_replaces_ours_in_whatever_case() -> None:
    terms = attrs.evolve(settings(), headers={"accept": "text/plain", "authorization": "mine"})
    script = ScriptedIO(answer(200), tokens=("token",))
    run_sync(call(io(script), terms, LOOK, {}))
    (request,) = script.sent
    names = [name.lower() for name, _ in request.headers]
    assert sorted(names) == ["accept", "authorization"]
    assert header(request, "authorization") == "mine"


def test_a_request_does_not_show_its_token() -> None:
    request = authorised(build(LOOK, {}, None, None, settings()), "s3cret")
    assert "s3cret" not in repr(request)
