"""In which order addresses are tried, for how long, and what a server is called in TLS."""

from __future__ import annotations

import math
import socket

import pytest

from poolse._lookup import Address
from poolse._network.addresses import attempts, certificate_name, interleaved


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
    now = 100.0
    shares: list[float] = []
    for _, until in attempts(found("1", "2", "3"), 112.0, lambda: now):
        shares.append(until - now)
        now += 1.0  # it is refused before its time is over
    assert shares == [4.0, 5.5, 10.0]


def test_all_of_it_is_used_when_none_answers() -> None:
    now = 100.0
    for _, until in attempts(found("1", "2", "3", "4"), 110.0, lambda: now):
        now = until
    assert now == 110.0


def test_without_a_limit_the_first_may_take_for_ever() -> None:
    assert [until for _, until in attempts(found("1", "2"), math.inf, lambda: 5.0)] == [
        math.inf
    ] * 2


@pytest.mark.parametrize(
    ("host", "name"), [("api.corp.", "api.corp"), ("api.corp", "api.corp"), ("::1", "::1")]
)
def test_the_name_in_tls(host: str, name: str) -> None:
    assert certificate_name(host) == name
