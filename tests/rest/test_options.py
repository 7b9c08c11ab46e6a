"""Options that make no sense are refused where they are made."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from poolse import ArgumentTypeError, CallOptions, CancelToken, Timeout, UsageError
from poolse.options import for_files
from tests.rest.scripted_io import settings

NO_TIMES: list[tuple[Any, str]] = [
    (-1, "a number of seconds.*not -1"),
    (-0.001, "not -0.001"),
    (float("nan"), "not nan"),
    (float("inf"), "None, 0 or more, not inf"),
    (1e300, "at most 1000000000"),
    (10**400, "at most 1000000000"),
    (True, "not bool"),
    ("5", "not str"),
]


@pytest.mark.parametrize(("value", "complaint"), NO_TIMES)
@pytest.mark.parametrize("limit", ["total", "connect", "read", "write", "pool"])
def test_a_limit_is_a_number_of_seconds(limit: str, value: Any, complaint: str) -> None:
    with pytest.raises(UsageError, match=f"the {limit} timeout must be .*{complaint}"):
        Timeout(**{limit: value})


@pytest.mark.parametrize(("value", "complaint"), NO_TIMES)
def test_a_timeout_is_a_number_or_a_timeout(value: Any, complaint: str) -> None:
    with pytest.raises(UsageError, match=f"timeout must be .*{complaint}"):
        CallOptions(timeout=value)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"max_retries": -1}, "max_retries must be at least 0, not -1"),
        ({"max_retries": 1.0}, "max_retries must be an int, not float"),
        ({"max_retries": True}, "max_retries must be an int, not bool"),
        ({"max_retries": None}, "max_retries must be an int, not None"),
        ({"headers": [("a", "b")]}, "headers must be a mapping, not list"),
        ({"headers": {1: "b"}}, "names of headers must be str, not int"),
        ({"headers": {"a": 1}}, "the value of header a must be a str, not int"),
        ({"headers": {"a": "b\r\nc: d"}}, "the value of header a has characters"),
        ({"headers": {"a": "ü"}}, "the value of header a has characters"),
        ({"headers": {"a b": "c"}}, "the name of a header must be a plain word"),
        ({"headers": {"a\n": "c"}}, "the name of a header must be a plain word"),
        ({"headers": {"": "c"}}, "the name of a header must be a plain word"),
        ({"headers": {"a": " b"}}, "the value of header a has blanks around it"),
        ({"headers": {"a": " "}}, "the value of header a has blanks around it"),
        ({"headers": {"Content-Length": "1"}}, "leave Content-Length out of headers"),
        ({"headers": {"transfer-encoding": "chunked"}}, "leave transfer-encoding out of headers"),
        ({"idempotency_key": 7}, "Idempotency-Key must be a str, not int"),
        ({"idempotency_key": "a\n"}, "Idempotency-Key has characters"),
        ({"idempotency_key": " "}, "Idempotency-Key has blanks around it"),
        ({"idempotency_key": ""}, "idempotency_key is empty"),
        ({"cancel": object()}, "cancel must be a CancelToken, not object"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        CallOptions(**options)


def test_options_that_make_sense_are_kept() -> None:
    stop = CancelToken()
    options = CallOptions(timeout=0, max_retries=0, idempotency_key=None, headers={}, cancel=stop)
    assert (options.timeout, options.max_retries, options.cancel) == (0, 0, stop)
    assert Timeout(None, connect=None).total is None
    assert Timeout.of(2).total == 2


def test_headers_are_those_that_were_judged() -> None:
    given = {"X-A": "1"}
    options = CallOptions(headers=given)
    given["X-A"] = "1\r\nX-B: 2"
    assert options.headers == {"X-A": "1"}
    assert "X-A" not in repr(options)


@pytest.mark.parametrize("options", [{"timeout": 1}, 5, "fast"])
def test_options_of_a_call_are_call_options(options: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="options must be a CallOptions, not"):
        settings().for_call(options)


def test_a_limit_that_nobody_has_set_differs_from_the_same_number() -> None:
    assert Timeout() == Timeout()
    assert hash(Timeout()) == hash(Timeout())
    assert Timeout(5) == Timeout(5.0)
    # They differ for files, and for sockets.
    assert Timeout() != Timeout(30.0)
    assert Timeout(connect=5.0) != Timeout()
    for copied in (copy.copy(Timeout()), pickle.loads(pickle.dumps(Timeout()))):
        assert copied == Timeout()
        assert for_files(copied).total is None
