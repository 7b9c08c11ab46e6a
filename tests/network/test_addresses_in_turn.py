"""In which order addresses are tried, for how long, and what a server is called in TLS."""

from __future__ import annotations

import math
import socket

import pytest

from poolse._network.addresses import attempts, certificate_name, interleaved
from poolse._support.dns import Address


def found(*hosts: str) -> list[Address]:
    return [
        (
            socket.AF_INET6 if ":" in host else socket.AF_INET,
            socket.SOCK_STREAM,
            6,
            "",
            (host, 443),
        )
        for host in hosts
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", ""),
        ("1 2 3", "1 2 3"),
        ("::1 ::2 1 2", "::1 1 ::2 2"),
        ("::1 ::2 ::3 1", "::1 1 ::2 ::3"),
        ("1 2 ::1", "1 ::1 2"),
    ],
)
def test_families_take_turns(given: str, expected: str) -> None:
    assert interleaved(found(*given.split())) == found(*expected.split())


def test_each_address_has_its_share_of_what_is_left() -> None:
    times = [100.0, 101.0, 102.0]  # each is refused after a second
    clock = iter(times)
    ends = [until for _, until in attempts(found("1", "2", "3"), 112.0, lambda: next(clock))]
    assert [until - now for until, now in zip(ends, times, strict=True)] == [4.0, 5.5, 10.0]


def test_all_of_it_is_used_when_none_answers() -> None:
    ends = [100.0]
    for _, until in attempts(found("1", "2", "3", "4"), 110.0, lambda: ends[-1]):
        ends.append(until)
    assert ends == [100.0, 102.5, 105.0, 107.5, 110.0]


def test_without_a_limit_the_first_may_take_for_ever() -> None:
    ends = [until for _, until in attempts(found("1", "2"), math.inf, lambda: 5.0)]
    assert ends == [math.inf, math.inf]


@pytest.mark.parametrize(
    ("host", "name"), [("api.corp.", "api.corp"), ("api.corp", "api.corp"), ("::1", "::1")]
)
def test_the_name_in_tls(host: str, name: str) -> None:
    assert certificate_name(host) == name


def test_attempts_are_made_in_that_order() -> None:
    tried = [address for address, _ in attempts(found("::1", "::2", "1"), 9.0, lambda: 0.0)]
    assert tried == found("::1", "1", "::2")
