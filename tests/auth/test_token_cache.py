"""The token cache: how long a token is used, and that a refused one never comes back."""

from __future__ import annotations

import base64
import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from poolse import UsageError
from poolse._auth.token_cache import TokenCache, checked, claims

NOW = 1_800_000_000.0


def fresh(cache: TokenCache, now: float) -> str | None:
    """The token, if it is good at this time."""
    return cache.token if now < cache.good_until else None


def jwt(**payload: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    return f"e30.{body}.sig"


def stored(token: str | None) -> TokenCache:
    cache = TokenCache()
    cache.store(token, cache.epoch, now=NOW, date=NOW)
    return cache


def test_a_jwt_is_used_until_30_seconds_before_it_ends() -> None:
    token = jwt(exp=NOW + 100)
    cache = stored(token)
    assert fresh(cache, NOW + 69.9) == token
    assert fresh(cache, NOW + 70) is None


@pytest.mark.parametrize(
    "token", ["opaque", jwt(sub="u"), jwt(exp="soon"), jwt(exp=True), "a.b.c", "a.b", jwt(exp=None)]
)
def test_a_token_that_does_not_say_when_it_ends_is_used_for_60_seconds(token: str) -> None:
    cache = stored(token)
    assert fresh(cache, NOW + 59.9) == token
    assert fresh(cache, NOW + 60) is None


@pytest.mark.parametrize("token", [None, ""])
def test_what_is_no_token_is_not_kept(token: str | None) -> None:
    assert fresh(stored(token), NOW) is None


HOUR = 3600


@pytest.mark.parametrize(
    ("iat", "exp", "used"),
    [
        # Just issued, by a clock that is right, or 2 h off in either direction.
        (0, HOUR, HOUR - 30),
        (-2 * HOUR, -HOUR, HOUR - 30),
        (2 * HOUR, 3 * HOUR, HOUR - 30),
        # Kept by `get_token`: a part of its life is over.
        (-HOUR / 2, HOUR / 2, HOUR / 2 - 30),
        # So far off that hardly anything seems to be left.
        (2 - HOUR, 2, 30),
        # Short lives.
        (0, 40, 20),
        (0, 10, 5),
        (-2 * HOUR, 1 - 2 * HOUR, 0.5),
        # Without a sensible time of issue.
        (None, HOUR, HOUR - 30),
        (None, 40, 20),
        (None, -HOUR, 30),
        ("now", HOUR, HOUR - 30),
        (HOUR, HOUR, HOUR - 30),
        (2 * HOUR, HOUR, HOUR - 30),
    ],
)
def test_a_token_that_just_came_is_used_for_a_while_whatever_the_clock_says(
    iat: float | str | None, exp: float, used: float
) -> None:
    issued = NOW + iat if isinstance(iat, int | float) else iat
    token = jwt(exp=NOW + exp) if issued is None else jwt(iat=issued, exp=NOW + exp)
    cache, clock = TokenCache(), 17.0
    cache.store(token, cache.epoch, now=clock, date=NOW)
    assert fresh(cache, clock + used - 0.1) == token
    assert fresh(cache, clock + used + 0.1) is None


def test_a_token_that_ends_soon_without_a_time_of_issue_is_fetched_again_once() -> None:
    cache, clock = TokenCache(), 17.0
    tokens = [jwt(exp=NOW + 20, n=number) for number in range(4)]
    kept: list[bool] = []
    for token in tokens:
        cache.store(token, cache.epoch, now=clock, date=NOW)
        kept.append(fresh(cache, clock) == token)
    assert kept == [False, True, False, True]


def test_a_refusal_of_another_token_leaves_the_kept_one() -> None:
    cache = stored("new")
    cache.reject("old")
    assert fresh(cache, NOW) == "new"


def test_the_result_of_a_fetch_that_began_before_a_refusal_is_not_kept() -> None:
    cache = stored("a")
    before = cache.epoch
    cache.reject("a")
    cache.store("a", before, now=NOW, date=NOW)
    assert fresh(cache, NOW) is None


def test_many_refusals_of_one_token_start_one_epoch() -> None:
    cache = stored("a")
    cache.reject("a")
    epoch = cache.epoch
    cache.reject("a")
    assert cache.epoch == epoch


def test_a_refused_token_that_is_fetched_again_can_be_refused_again() -> None:
    cache = stored("a")
    cache.reject("a")
    cache.store("a", cache.epoch, now=NOW, date=NOW)
    cache.reject("a")
    assert fresh(cache, NOW) is None


def test_a_get_token_that_returns_nonsense_is_refused_without_showing_it() -> None:
    with pytest.raises(UsageError, match="must return a str or None, not dict") as caught:
        checked({"token": "s3cret"})
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("token", [" ", " s3cret", "s3cret\r\nX: y", "s3cret-ü"])
def test_a_token_that_http_cannot_carry_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(UsageError, match=r"the token from get_token (is blank|has)") as caught:
        checked(token)
    assert "s3cret" not in str(caught.value)


@given(st.text(string.printable))
def test_reading_claims_never_fails(text: str) -> None:
    assert isinstance(claims(text), dict)


class RefusedTokensStayAway(RuleBasedStateMachine):
    """Fetches that overlap refusals in any order; each fetch brings what was good when it began."""

    def __init__(self) -> None:
        super().__init__()
        self.cache = TokenCache()
        self.serial = 0
        self.fetches: list[tuple[str, int]] = []
        self.refused: set[str] = set()

    @rule()
    def begin(self) -> None:
        self.fetches.append((f"t{self.serial}", self.cache.epoch))

    @rule(last=st.booleans())
    def finish(self, last: bool) -> None:
        if self.fetches:
            token, epoch = self.fetches.pop(-1 if last else 0)
            self.cache.store(token, epoch, now=NOW, date=NOW)

    @rule()
    def refuse(self) -> None:
        self.refused.add(f"t{self.serial}")
        self.cache.reject(f"t{self.serial}")
        self.serial += 1

    @invariant()
    def the_kept_token_was_not_refused(self) -> None:
        assert fresh(self.cache, NOW) not in self.refused


TestRefusedTokensStayAway = RefusedTokensStayAway.TestCase
