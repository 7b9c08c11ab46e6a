"""Rows and events to test with: there is one for each, valid, and the same every time."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

import poolse
from poolse import DecodeError, Message, UsageError, from_dict, missing, to_dict
from poolse._generated import events, readers
from poolse._json.codec import decode_value
from poolse._json.models import Model
from poolse.testing import factories
from poolse.testing.factories import (
    make_attachment_upload_response,
    make_message,
    make_message_new,
    make_presence_state,
)
from poolse.types import UNSET

Factory = Callable[..., Any]

MADE: dict[str, Factory] = {name: getattr(factories, name) for name in factories.__all__}
ROWS = {name: make for name, make in MADE.items() if isinstance(make(), Model)}


def reader_of(row: object) -> Callable[[object], Any]:
    """What the library reads such a row or event with."""
    cls = type(row)
    known = {kind.read.__annotations__["return"]: kind.read for kind in event_types()}
    return known.get(cls.__name__) or readers.READERS[cls]


def event_types() -> list[Any]:
    return [value for value in vars(events).values() if type(value).__name__ == "EventType"]


def test_there_is_one_for_every_row_and_every_event() -> None:
    made: set[type] = {type(make()) for make in MADE.values()}
    public = [getattr(poolse, name) for name in poolse.__all__]
    classes = {value for value in public if inspect.isclass(value)}
    rows = {cls for cls in classes if issubclass(cls, Model)} - {poolse.Row, poolse.Page}
    assert rows | {poolse.PresenceState, poolse.VoicePresenceState} == made


@pytest.mark.parametrize("name", MADE)
def test_it_is_what_the_server_might_send(name: str) -> None:
    row = MADE[name]()
    assert decode_value(reader_of(row), to_dict(row)) == row
    if isinstance(row, Model):
        assert missing(row) == ()
        assert row.extra == {}


@pytest.mark.parametrize("name", ROWS)
def test_each_field_can_be_chosen(name: str) -> None:
    usual = ROWS[name]()
    for field, value in to_dict(usual).items():
        given = getattr(usual, field)
        other = changed(given)
        made = ROWS[name](**{field: other})
        assert getattr(made, field) == other, field
        rest = to_dict(made).keys() - {field, "id"}
        assert {key: to_dict(made)[key] for key in rest} == {
            key: to_dict(usual)[key] for key in rest
        }
        assert ROWS[name](**{field: other}) == made
        assert ROWS[name](**{field: given}) == usual, value


def changed(value: Any) -> Any:
    """Another value of the same type."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return str(value) + "x"
        case datetime():
            return value.replace(year=2027)
        case list():
            return []
        case dict():
            return {}
        case _:
            return value


def test_without_arguments_it_is_the_example_of_the_spec() -> None:
    example = make_message()
    assert (example.body, example.sequence, example.attachments) == ("Welcome", 11, None)
    assert make_message(body="Welcome") == example


def test_another_message_has_another_id() -> None:
    ids = {make_message(sequence=number).id for number in range(100)}
    assert len(ids) == 100
    assert make_message(id="mine", body="hi").id == "mine"


def test_an_event_is_equal_to_its_row() -> None:
    assert make_message_new(body="hi") == make_message(body="hi")


def test_rows_may_be_made_of_rows() -> None:
    picture = factories.make_attachment(original_filename="dog.png")
    message = make_message(attachments=[picture])
    assert message.attachments == [picture]
    assert from_dict(to_dict(message), Message) == message
    assert make_attachment_upload_response().attachment.status == "pending"
    here = {"u": factories.make_presence(metas=[])}
    assert make_presence_state(here) == here


def test_a_field_may_be_left_out() -> None:
    assert "unread_count" in to_dict(factories.make_conversation())
    assert "unread_count" not in to_dict(factories.make_conversation(unread_count=UNSET))


@pytest.mark.parametrize(
    ("given", "error", "told"),
    [
        ({"body": 7}, DecodeError, r"\$\.body: expected a string"),
        ({"sequence": None}, UsageError, "a Message always has: sequence"),
        ({"inserted_at": datetime(2026, 6, 1)}, UsageError, "needs an offset"),  # noqa: DTZ001
        ({"text": "hi"}, TypeError, "unexpected keyword argument 'text'"),
    ],
)
def test_what_the_server_would_never_send_is_refused(
    given: dict[str, Any], error: type[Exception], told: str
) -> None:
    make: Factory = make_message
    with pytest.raises(error, match=told):
        make(**given)
