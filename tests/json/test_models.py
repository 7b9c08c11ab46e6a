"""Rows are values: frozen, compared, hashed, copied and pickled."""

from __future__ import annotations

import base64
import copy
import pickle
from collections.abc import Mapping
from typing import Any, ClassVar

import attrs
import pytest

from poolse._generated.events import (
    MessageNew,
    PresenceState,
    read_message_new,
    read_presence_state,
)
from poolse._generated.models import Message, MessageList, PresenceMeta
from poolse._generated.readers import read_message, read_message_list
from poolse._json.codec import decode_value, missing, to_dict
from poolse._json.models import Model, Page
from poolse.testing import factories
from tests.json.sample_objects import MESSAGE, without


def message(**changes: object) -> Message:
    return decode_value(read_message, {**MESSAGE, **changes})


def test_rows_are_frozen() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        message().body = "changed"  # type: ignore[misc]
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        del message().body  # pyright: ignore[reportAttributeAccessIssue]


def test_rows_are_compared_by_value_and_hashed_by_id() -> None:
    assert message() == message()
    assert message() != message(body="other")
    assert message() != decode_value(read_message, MESSAGE | {"id": "m-2"})
    assert hash(message()) == hash(message(body="other"))
    assert {message(), message()} == {message()}


def test_an_event_that_carries_a_row_is_that_row() -> None:
    event = decode_value(read_message_new, MESSAGE)
    assert isinstance(event, Message)
    assert event == message()
    assert message() == event
    assert hash(event) == hash(message())
    assert to_dict(event) == MESSAGE


def test_rows_of_different_kinds_are_never_equal() -> None:
    fields = {"phx_ref": "r", "online_at": 1}
    assert fields != PresenceMeta(phx_ref="r", online_at=1)
    assert message() != MESSAGE


def test_rows_without_an_id_are_hashed_by_value() -> None:
    one, other = (PresenceMeta(phx_ref="r", online_at=at) for at in (1, 2))
    assert hash(one) == hash(PresenceMeta(phx_ref="r", online_at=1))
    assert hash(one) != hash(other)


@pytest.mark.parametrize(
    "rows", [MESSAGE, without(MESSAGE, "body", "reply_count"), {**MESSAGE, "x": 1}]
)
def test_rows_can_be_pickled_and_copied(rows: dict[str, Any]) -> None:
    row = decode_value(read_message_new, rows)
    for twin in (pickle.loads(pickle.dumps(row)), copy.copy(row), copy.deepcopy(row)):
        assert type(twin) is type(row)
        assert twin == row
        assert to_dict(twin) == rows
        assert missing(twin) == missing(row)


OLD: Any = {
    "by hand": (
        "gASVbAAAAAAAAACMGHBvb2xzZS5fZ2VuZXJhdGVkLm1vZGVsc5SMDFByZXNlbmNlTWV0YZSTlCmBlH2UKIwIX19zZW"
        "VuX1+UTowHcGh4X3JlZpSMAXKUjAlvbmxpbmVfYXSUSwGMC2V4dGVybmFsX2lklE51Yi4=",
        {"phx_ref": "r", "online_at": 1},
    ),
    "from a server": (
        "gASVsgAAAAAAAACMGHBvb2xzZS5fZ2VuZXJhdGVkLm1vZGVsc5SMDFByZXNlbmNlTWV0YZSTlCmBlH2UKIwIX19zZW"
        "VuX1+UjBFwb29sc2UuX2NvcmUucm93c5SMBFNlZW6Uk5QpgZR9lCiMBmFic2VudJQojAtleHRlcm5hbF9pZJSRlIwF"
        "ZXh0cmGUfZSMAXiUXZRLAWFzdWKMB3BoeF9yZWaUjAFylIwJb25saW5lX2F0lEsBaAxOdWIu",
        {"phx_ref": "r", "online_at": 1, "x": [1]},
    ),
}
"""Rows as release 0.1.0 has pickled them, and what is in them."""


@pytest.mark.parametrize("name", OLD)
def test_rows_pickled_by_the_first_release_are_read(name: str) -> None:
    pickled, expected = OLD[name]
    row = pickle.loads(base64.b64decode(pickled))
    assert isinstance(row, PresenceMeta)
    assert to_dict(row) == expected
    assert row.external_id is None


OLD_EVENTS: Any = {
    "message": (
        "gASVYQMAAAAAAACMGHBvb2xzZS5fZ2VuZXJhdGVkLmV2ZW50c5SMCk1lc3NhZ2VOZXeUk5QpgZR9lCiMCF9fc2Vl"
        "bl9flIwRcG9vbHNlLl9jb3JlLnJvd3OUjARTZWVulJOUKYGUfZQojAZhYnNlbnSUKIwRcXVvdGVkX21lc3NhZ2Vf"
        "aWSUjAllZGl0ZWRfYXSUjAtyZXBseV90b19pZJSMCHNlcXVlbmNllIwKZGVsZXRlZF9hdJSMCG1lbnRpb25zlIwL"
        "cmVwbHlfY291bnSUjA9jb252ZXJzYXRpb25faWSUjAl0ZW5hbnRfaWSUjAp1cGRhdGVkX2F0lIwOdGhyZWFkX3Jv"
        "b3RfaWSUkZSMBWV4dHJhlH2UdWKMAmlklIwBbZRoFE5oE06MCXNlbmRlcl9pZJROjAR0eXBllIwYcG9vbHNlLl9n"
        "ZW5lcmF0ZWQubW9kZWxzlIwLTWVzc2FnZVR5cGWUk5SMBHBvbGyUhZRSlIwEYm9keZSMAXiUaA5OaBZOaBJOaAxO"
        "jA5xdW90ZWRfbWVzc2FnZZRoHowUUXVvdGVkTWVzc2FnZVByZXZpZXeUk5QpgZR9lChoBWgIKYGUfZQoaAsoaBxo"
        "EIwLaW5zZXJ0ZWRfYXSUkZRoGH2UjANuZXeUSwFzdWJoGowBcZRoHE5oJIwBeZRoEE5oLU51YmgRTowJcmVhY3Rp"
        "b25zlH2UjATwn5GNlF2UjAF1lGFzjAthdHRhY2htZW50c5RdlGgejApBdHRhY2htZW50lJOUKYGUfZQoaAVoCCmB"
        "lH2UKGgLKIwKbWVzc2FnZV9pZJSMEW9yaWdpbmFsX2ZpbGVuYW1llIwMY29udGVudF90eXBllGgtjAZzaGEyNTaU"
        "aBRoHGgVkZRoGH2UaDBdlEsCYXN1YmgajAFhlGgUTmhATmgcTmhCTowJYnl0ZV9zaXpllEsBaENOaEFOjAZzdGF0"
        "dXOUaB6MEEF0dGFjaG1lbnRTdGF0dXOUk5SMBXJlYWR5lIWUUpRoLU5oFU51YmFoDU5oEE5oD05oLYwIZGF0ZXRp"
        "bWWUjAhkYXRldGltZZSTlEMKB+oGAQkeAAehIJRoT4wIdGltZXpvbmWUk5RoT4wJdGltZWRlbHRhlJOUSwBLAEsA"
        "h5RSlIWUUpSGlFKUaBVOdWIu",
        {
            "id": "m",
            "sender_id": None,
            "type": "poll",
            "body": "x",
            "quoted_message": {"id": "q", "body": "y", "new": 1},
            "reactions": {"👍": ["u"]},
            "attachments": [{"id": "a", "byte_size": 1, "status": "ready", "new": [2]}],
            "inserted_at": "2026-06-01T09:30:00.500000Z",
        },
    ),
    "presence": (
        "gASVSwEAAAAAAACMGHBvb2xzZS5fZ2VuZXJhdGVkLmV2ZW50c5SMDFByZXNlbmNlRGlmZpSTlCmBlH2UKIwIX19z"
        "ZWVuX1+UjBFwb29sc2UuX2NvcmUucm93c5SMBFNlZW6Uk5QpgZR9lCiMBmFic2VudJQokZSMBWV4dHJhlH2UdWKM"
        "BWpvaW5zlH2UjAF1lIwYcG9vbHNlLl9nZW5lcmF0ZWQubW9kZWxzlIwIUHJlc2VuY2WUk5QpgZR9lChoBWgIKYGU"
        "fZQoaAsokZRoDX2UdWKMBW1ldGFzlF2UaBKMDFByZXNlbmNlTWV0YZSTlCmBlH2UKGgFaAgpgZR9lChoCyiMC2V4"
        "dGVybmFsX2lklJGUaA19lIwDbmV3lEsDc3VijAdwaHhfcmVmlIwBcpSMCW9ubGluZV9hdJRLAWgjTnViYXVic4wG"
        "bGVhdmVzlH2UdWIu",
        {
            "joins": {"u": {"metas": [{"phx_ref": "r", "online_at": 1, "new": 3}]}},
            "leaves": {},
        },
    ),
}
"""Events of release 0.1.0 with rows in them; nearly all fields were left out by the server."""


@pytest.mark.parametrize("name", OLD_EVENTS)
def test_events_pickled_by_the_first_release_are_read_with_the_rows_in_them(name: str) -> None:
    pickled, expected = OLD_EVENTS[name]
    event: Any = pickle.loads(base64.b64decode(pickled))
    assert to_dict(event) == expected
    assert repr(event)
    inner = event.joins["u"].metas[0] if name == "presence" else event.attachments[0]
    assert inner.extra.keys() == {"new"}
    assert pickle.loads(pickle.dumps(event)) == event


def blank(cls: type[Model]) -> Model:
    return cls.__new__(cls)


class Pickled:
    """Is pickled as a row of another release."""

    def __init__(self, cls: type[Model], state: object) -> None:
        self._made = blank, (cls,), state

    def __reduce__(self) -> Any:
        return self._made


def unpickled(cls: type[Model], state: object) -> Any:
    return pickle.loads(pickle.dumps(Pickled(cls, state)))


@pytest.mark.parametrize("cls", [Message, MessageNew])
def test_a_field_that_was_added_since_reads_none(cls: type[Message]) -> None:
    row = decode_value(read_message_new, {**MESSAGE, "x": 1})
    state = row.__getstate__()
    for new in ("body", "reply_count", "sequence"):
        del state[new]
    twin = unpickled(cls, state)
    assert type(twin) is cls
    assert (twin.body, twin.reply_count, twin.sequence) == (None, None, None)
    assert to_dict(twin) == {**without(MESSAGE, "body", "reply_count", "sequence"), "x": 1}
    assert "sequence" in missing(twin)
    assert twin.attachments == row.attachments
    assert repr(twin)
    assert pickle.loads(pickle.dumps(twin)) == twin
    assert attrs.evolve(twin, body="new").body == "new"


MADE: list[Any] = [getattr(factories, name)() for name in factories.__all__]


@pytest.mark.parametrize(
    "row", [row for row in MADE if isinstance(row, Model)], ids=lambda row: type(row).__name__
)
def test_any_field_of_any_model_may_have_been_added_or_have_gone_since(row: Model) -> None:
    fields = [field.name for field in attrs.fields(type(row)) if field.name != "extra"]
    for new in fields:
        state = {**row.__getstate__(), "colour": "red"}
        kept = {name: state[name] for name in fields if name != new}
        del state[new]
        twin = unpickled(type(row), state)
        assert getattr(twin, new) is None
        assert {name: getattr(twin, name) for name in kept} == kept
        assert twin.extra == {"colour": "red"}


@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class Renamed(Model):
    """A row whose field had the name of JSON in an older release."""

    kind: str
    __wire__: ClassVar[Mapping[str, str]] = {"kind": "type"}


def test_a_field_that_was_renamed_since_is_read() -> None:
    twin = unpickled(Renamed, {"type": "poll", "extra": message().extra})
    assert (twin.kind, dict(twin.extra), missing(twin)) == ("poll", {}, ())
    assert to_dict(twin) == {"type": "poll"}


def test_a_field_that_is_gone_since_is_extra() -> None:
    state = {**message().__getstate__(), "colour": "red"}
    twin = unpickled(Message, state)
    assert twin == message()
    assert twin.extra == {"colour": "red"}
    assert to_dict(twin) == {**MESSAGE, "colour": "red"}


def test_a_value_of_an_enum_that_nobody_knows_survives() -> None:
    twin: Any = pickle.loads(pickle.dumps(message(type="hologram")))
    assert str(twin.type) == "hologram"
    assert not twin.type.is_known


@pytest.mark.parametrize("state", [(), ("r", 1), {}, {1: 2}, "text", (None, {"phx_ref": "r"})])
def test_a_state_that_nobody_knows_makes_an_empty_row(state: object) -> None:
    twin = unpickled(PresenceMeta, state)
    assert (twin.phx_ref, twin.online_at, twin.external_id) == (None, None, None)
    assert set(missing(twin)) == {"phx_ref", "online_at"}
    assert repr(twin)


def test_only_fields_and_what_is_extra_are_attributes() -> None:
    row = message(x=1)
    assert {field.name for field in attrs.fields(Message)} == {*MESSAGE, "extra"}
    assert attrs.asdict(row, recurse=False) == {
        **{name: getattr(row, name) for name in MESSAGE},
        "extra": {"x": 1},
    }
    assert not any(name.startswith("_") for name in attrs.asdict(row))
    with pytest.raises(TypeError):
        row.extra["y"] = 2  # type: ignore[index]  # pyright: ignore[reportIndexIssue]
    meta = PresenceMeta(phx_ref="r", online_at=1, extra={"y": 2})
    assert to_dict(meta) == {"phx_ref": "r", "online_at": 1, "y": 2}


def test_evolved_rows_keep_what_was_unknown() -> None:
    row = attrs.evolve(message(x=1), body="changed")
    assert to_dict(row) == {**MESSAGE, "body": "changed", "x": 1}


def test_rows_made_by_hand_leave_optional_nones_out() -> None:
    meta = PresenceMeta(phx_ref="r", online_at=1)
    assert to_dict(meta) == {"phx_ref": "r", "online_at": 1}
    assert (meta.external_id, meta.extra, missing(meta)) == (None, {}, ())
    assert to_dict(PresenceMeta(phx_ref="r", online_at=1, external_id="u")) == {
        "phx_ref": "r",
        "online_at": 1,
        "external_id": "u",
    }


@attrs.frozen(kw_only=True, eq=False)
class Numbers(Page[int]):
    """A page of nothing but numbers."""


@attrs.frozen(kw_only=True, eq=False)
class Digits(Page[int]):
    """Another one."""


def test_pages_of_different_kinds_are_never_equal() -> None:
    assert Numbers(data=[1]) == Numbers(data=[1])
    assert Numbers(data=[1]) != Digits(data=[1])


def test_a_page_is_like_a_list() -> None:
    page = decode_value(read_message_list, {"data": [MESSAGE, {**MESSAGE, "id": "m-2"}]})
    assert [row.id for row in page] == ["m-1", "m-2"]
    assert len(page) == 2
    assert page[-1].id == "m-2"
    assert page[:1] == [message()]
    assert page.data == list(page)
    assert not decode_value(read_message_list, {"data": []})
    assert to_dict(page) == {"data": [MESSAGE, {**MESSAGE, "id": "m-2"}]}
    assert page == MessageList(data=list(page))


def test_a_map_of_rows_is_a_dict() -> None:
    metas = {"metas": [{"phx_ref": "r", "online_at": 1}]}
    state = decode_value(read_presence_state, {"u-1": metas})
    assert isinstance(state, PresenceState)
    assert state["u-1"].metas[0].online_at == 1
    assert to_dict(state) == {"u-1": metas}
    assert pickle.loads(pickle.dumps(state)) == state
