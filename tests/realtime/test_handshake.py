"""What is said at the door, and what is made of the answer."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping

import pytest

from poolse._realtime.handshake import (
    Parameter,
    address,
    failure_of,
    refused,
    socket_url,
    token_failure,
)
from poolse._realtime.reconnect_policy import Policy
from poolse._realtime.settings import RealtimeSettings
from poolse.errors import UsageError


@pytest.mark.parametrize(
    ("url", "token", "expected"),
    [
        ("wss://h/socket", "a", "wss://h/socket/websocket?token=a&vsn=2.0.0"),
        ("ws://h:1/socket/", "a", "ws://h:1/socket/websocket?token=a&vsn=2.0.0"),
        ("https://h/socket", "a", "wss://h/socket/websocket?token=a&vsn=2.0.0"),
        ("http://h/socket", None, "ws://h/socket/websocket?vsn=2.0.0"),
        ("wss://h/socket/websocket", "a", "wss://h/socket/websocket?token=a&vsn=2.0.0"),
        ("wss://h/s?x=1", "a", "wss://h/s/websocket?x=1&token=a&vsn=2.0.0"),
        ("wss://[::1]:2/s", "a b&c/d", "wss://[::1]:2/s/websocket?token=a%20b%26c%2Fd&vsn=2.0.0"),
    ],
)
def test_the_url_byte_for_byte(url: str, token: str | None, expected: str) -> None:
    found = address(RealtimeSettings(url=url), token)
    assert (found.url, found.subprotocols) == (expected, ())
    assert "token" not in repr(found)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, ""),
        ({"a": 1, "b": "x y"}, "a=1&b=x%20y&"),
        ({"a": {"b": ["ü", {"c": "&"}]}}, "a%5Bb%5D%5B0%5D=%C3%BC&a%5Bb%5D%5B1%5D%5Bc%5D=%26&"),
        ({"a": None, "b": {}, "c": [], "d": {"e": None}, "f": ""}, "f=&"),
    ],
)
def test_parameters_as_phoenix_reads_them(
    parameters: Mapping[str, Parameter], expected: str
) -> None:
    url = socket_url("wss://h/socket", parameters)
    assert url == f"wss://h/socket/websocket?{expected}vsn=2.0.0"


SUBPROTOCOL = RealtimeSettings(url="wss://h/socket", policy=Policy(token_in_url=False))


def test_a_token_may_be_a_subprotocol_and_is_then_in_no_url() -> None:
    found = address(SUBPROTOCOL, "sec?ret>token")
    assert found.url == "wss://h/socket/websocket?vsn=2.0.0"
    assert found.subprotocols == ("phoenix", "base64url.bearer.phx.c2VjP3JldD50b2tlbg")
    assert address(SUBPROTOCOL, None).subprotocols == ()


def test_a_token_that_is_no_header_is_refused_as_a_subprotocol() -> None:
    with pytest.raises(UsageError, match="send it in the URL") as caught:
        address(SUBPROTOCOL, "ab?")
    assert "ab?" not in str(caught.value)


def test_a_refusal_keeps_the_wait_that_was_asked_for() -> None:
    failure = refused(503, "17", 0.0)
    assert (failure.status, failure.retry_after, failure.final) == (503, 17.0, False)
    assert refused(429, "Thu, 01 Jan 1970 00:01:00 GMT", 20.0).retry_after == 40.0
    assert refused(500, None, 0.0).retry_after == 0.0


def test_only_a_bad_certificate_and_a_mistake_are_final() -> None:
    certificate = ssl.SSLCertVerificationError(1, "no")
    certificate.verify_message = "self-signed"
    assert failure_of(certificate, 1.0).final
    assert "self-signed" in failure_of(certificate, 1.0).reason
    assert failure_of(UsageError("a proxy must be http"), 1.0).final
    for error in (TimeoutError(), ConnectionRefusedError(), socket.gaierror(-2, "no such name")):
        assert not failure_of(error, 1.0).final
        assert failure_of(error, 1.0).cause is error


def test_texts_of_other_libraries_are_not_passed_on() -> None:
    secret = "ws://h/socket/websocket?token=hush"
    failure = failure_of(ValueError(secret), 1.0)
    assert "hush" not in failure.reason
    assert failure.cause is None
    assert "hush" not in token_failure(ValueError("hush")).reason


def test_settings_show_no_secret() -> None:
    settings = RealtimeSettings(url="ws://h", proxy="http://a:hush@p", headers={"X": "hush"})
    assert "hush" not in repr(settings)
