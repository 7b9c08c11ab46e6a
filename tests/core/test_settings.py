"""What the constructor's arguments and the environment come to."""

from __future__ import annotations

import pytest

from poolse import CallOptions, CancelToken, Timeout
from poolse._core.settings import POOLSE_API_URL, api_url_from, credential, merged, socket_url
from tests.core.scripted import settings


def test_the_argument_wins_over_the_environment_over_the_hosted_api() -> None:
    environment = {"POOLSE_API_URL": "http://environment/", "POOLSE_TOKEN": "environment"}
    assert api_url_from("https://argument//", environment) == "https://argument"
    assert api_url_from(None, environment) == "http://environment"
    assert api_url_from(None, {}) == POOLSE_API_URL
    assert credential(None, "argument", environment) == "argument"
    assert credential(None, None, environment) == "environment"


@pytest.mark.parametrize(
    ("ws_url", "path", "expected"),
    [
        (None, "/socket", "wss://api.test/socket"),
        ("ws://other:4000/", "socket/", "ws://other:4000/socket"),
        ("HTTP://other", "/a/b", "ws://other/a/b"),
    ],
)
def test_the_socket_is_where_the_api_is_unless_said_otherwise(
    ws_url: str | None, path: str, expected: str
) -> None:
    assert socket_url(ws_url, "https://api.test", path) == expected


def test_headers_whose_names_differ_in_case_only_are_one() -> None:
    assert merged({"A": "1", "B": "2"}, {"a": "3"}) == {"B": "2", "a": "3"}


def test_a_call_changes_what_it_says_and_nothing_else() -> None:
    base = settings()
    assert base.for_call(None) is base
    stop = CancelToken()
    changed = base.for_call(CallOptions(timeout=2, cancel=stop))
    assert (changed.timeout, changed.cancel) == (Timeout(2), stop)
    assert (changed.max_retries, changed.headers) == (base.max_retries, base.headers)
    assert base.for_call(CallOptions(timeout=None)).timeout == Timeout.of(None)
