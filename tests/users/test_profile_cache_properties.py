"""The cache of profiles, with answers, failures, invalidations and time in any order."""

from __future__ import annotations

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from poolse import UNSET
from poolse._profiles.profile_cache import ProfileCache
from poolse._profiles.resolver import ProfileSettings, UserProfile
from tests.auth.scripted_flights import Leg, leg_of

SIZE = 3
TTL = 10.0

users = st.sampled_from("abcde")


@attrs.frozen
class Call:
    """A flight, and what it was asked for in which state of the world."""

    user_id: str
    version: int
    leg: Leg


class NothingStaleIsKept(RuleBasedStateMachine):
    """A user's profile has a version, which each invalidation raises; a flight brings what it saw.

    None stands for a failure, which is kept like an answer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.cache = ProfileCache(ProfileSettings(None, SIZE, TTL), Leg)
        self.now = 0.0
        self.versions = dict.fromkeys("abcde", 0)
        self.under_way: list[Call] = []
        self.landed: dict[str, tuple[UserProfile | None, float]] = {}
        self.heard: dict[str, object] = {}

    @rule(user_id=users)
    def get(self, user_id: str) -> None:
        if self.cache.peek(user_id, self.now) is not UNSET:
            return
        version = self.versions[user_id]
        claim = self.cache.flights.join(user_id, None)
        leg = leg_of(claim.flight)
        now = (user_id, version)
        same = [call.leg for call in self.under_way if (call.user_id, call.version) == now]
        assert same == ([] if claim.begins else [leg])
        if claim.begins:
            self.under_way.append(Call(user_id, version, leg))

    @rule(index=st.integers(0, 20), fails=st.booleans())
    def land(self, index: int, fails: bool) -> None:
        if not self.under_way:
            return
        call = self.under_way.pop(index % len(self.under_way))
        profile = None if fails else UserProfile(str(call.version))
        self.cache.complete(call.user_id, call.leg, profile, self.now)
        call.leg.ended = True
        if call.version == self.versions[call.user_id]:
            self.landed[call.user_id] = profile, self.now

    @rule(index=st.integers(0, 20))
    def end_without_result(self, index: int) -> None:
        if self.under_way:
            self.under_way.pop(index % len(self.under_way)).leg.ended = True

    @rule(user_id=users)
    def invalidate(self, user_id: str) -> None:
        self.versions[user_id] += 1
        self.landed.pop(user_id, None)
        self.cache.invalidate(user_id)

    @rule()
    def invalidate_all(self) -> None:
        for user_id in self.versions:
            self.versions[user_id] += 1
        self.landed.clear()
        self.cache.invalidate_all()

    @rule(seconds=st.sampled_from([1.0, TTL / 2, TTL]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @rule(user_id=users)
    def subscribe(self, user_id: str) -> None:
        if user_id not in self.heard:
            self.heard[user_id] = self.cache.peek(user_id, self.now)
            self.cache.subscribe(user_id, lambda value: self.heard.update({user_id: value}))

    @rule()
    def tell(self) -> None:
        assert self.cache.start_notifying()
        while (change := self.cache.next_change()) is not None:
            change[0].function(change[1])
        # Who has heard of everything knows what the cache knows, but for what it forgot by itself.
        for user_id, value in self.heard.items():
            known = self.cache.peek(user_id, self.now)
            assert known in (value, UNSET)
            assert value is UNSET or user_id in self.landed

    @invariant()
    def what_is_known_was_true_since_the_last_invalidation_and_is_not_too_old(self) -> None:
        for user_id in self.versions:
            known = self.cache.peek(user_id, self.now)
            if known is not UNSET:
                profile, since = self.landed[user_id]
                assert known == profile
                assert self.now < since + TTL

    @invariant()
    def there_is_room(self) -> None:
        assert len(self.cache) <= SIZE


TestNothingStaleIsKept = NothingStaleIsKept.TestCase
