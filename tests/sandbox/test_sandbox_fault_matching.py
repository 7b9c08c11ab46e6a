"""Every fault of requests can be given a number of times, a path and a method."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from poolse.testing import FaultControl, Sandbox
from tests.sandbox.raw_clients import User
from tests.sandbox.upload_helpers import ask, link_of, put, uploaded

AT_ONCE = {"clear", "close_channel", "crash", "drop_sockets", "mute", "release", "unmute"}
"""They do something there and then."""

OTHERS = {"disturb_broadcasts", "refuse_handshakes", "refuse_joins"}
"""They are about what is no request."""

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "fail": (503,),
    "limit_rate": (0, 60),
    "drop": (),
    "lose_answers": (),
    "forget_idempotency": (),
    "latency": (60,),
    "hang": (),
    "drip": (0.001,),
    "cut_uploads": (1,),
    "cut_downloads": (1,),
    "expire_urls": (),
    "cap_pages": (1,),
}
"""What each has to be given."""

FAULTS = {name for name in vars(FaultControl) if not name.startswith("_")}


def test_each_fault_is_of_one_kind() -> None:
    assert AT_ONCE | OTHERS | set(ARGUMENTS) == FAULTS


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_it_takes_all_three(name: str) -> None:
    parameters = inspect.signature(getattr(FaultControl, name)).parameters
    for choice in ("times", "path", "method"):
        assert choice in parameters, choice
        assert f"{choice}: " in (getattr(FaultControl, name).__doc__ or ""), choice


PATIENCE = 30.0
HASTE = 0.2
"""Seconds to wait for a response that is expected, and for one that is not going to come."""


class Probes:
    """How a request of each kind goes wrong."""

    patience = PATIENCE

    def __init__(self, alice: User, wire: httpx.Client) -> None:
        self.alice = alice
        self.wire = wire
        self.talks = [alice.conversation() for _ in range(2)]
        for talk in self.talks:
            for number in range(2):
                alice.send(talk, body=str(number))
        self.links = [link_of(alice, uploaded(alice, wire, b"data")) for _ in range(2)]
        self.asked = [ask(alice, 100_000) for _ in range(2)]
        self.keys = 0

    def targets(self, name: str) -> tuple[str, str, Callable[[int], bool]]:
        """The path that is meant, the method, and whether the request to the n-th target met it."""
        if name == "cut_uploads":
            return self._storage(self.asked[0]["upload"]["url"]), "PUT", self.upload
        if name in {"cut_downloads", "expire_urls"}:
            return self._storage(self.links[0]), "GET", self.download
        method = "POST" if name == "forget_idempotency" else "GET"
        path = f"/v1/conversations/{self.talks[0]}/messages"
        return path, method, getattr(self, name, self.fails)

    def _storage(self, url: str) -> str:
        return httpx.URL(url).path

    def page(self, which: int, **options: Any) -> httpx.Response:
        return self.alice.http.get(f"/v1/conversations/{self.talks[which]}/messages", **options)

    def fails(self, which: int) -> bool:
        try:
            return self.page(which, timeout=self.patience).status_code != 200
        except httpx.TransportError:
            return True

    def drip(self, which: int) -> bool:
        url = f"/v1/conversations/{self.talks[which]}/messages"
        with self.alice.http.stream("GET", url) as answer:
            return len(list(answer.iter_raw())) > 10

    def cap_pages(self, which: int) -> bool:
        return len(self.page(which).json()["data"]) == 1

    def forget_idempotency(self, which: int) -> bool:
        path = f"/v1/conversations/{self.talks[which]}/messages"
        self.keys += 1
        first, second = (
            self.alice.http.post(
                path, json={"body": "x"}, headers={"idempotency-key": str(self.keys)}
            )
            for _ in range(2)
        )
        return bool(first.json()["id"] != second.json()["id"])

    def upload(self, which: int) -> bool:
        try:
            return put(self.wire, self.asked[which], b"x" * 100_000).status_code != 200
        except httpx.TransportError:
            return True

    def download(self, which: int) -> bool:
        try:
            return self.wire.get(self.links[which]).status_code != 200
        except httpx.TransportError:
            return True


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_it_meets_whom_it_is_meant_for(
    sandbox: Sandbox, alice: User, wire: httpx.Client, name: str
) -> None:
    probes = Probes(alice, wire)
    path, method, probe = probes.targets(name)

    def met(which: int, expected: bool) -> bool:
        probes.patience = HASTE if expected else PATIENCE
        return probe(which) is expected

    arm = getattr(sandbox.faults, name)

    arm(*ARGUMENTS[name], times=2, path=path, method="OPTIONS")
    assert met(0, False)
    sandbox.faults.clear()

    # Of a key, each probe sends two requests, and the first of them would be ignored unseen.
    arm(*ARGUMENTS[name], times=4 if name == "forget_idempotency" else 2, path=path, method=method)
    assert met(1, False)
    assert met(0, True)
    assert met(0, True)
    assert met(0, False)

    arm(*ARGUMENTS[name], times=None, path=path, method=method.lower())
    for _ in range(3):
        assert met(0, True)
    assert met(1, False)
    sandbox.faults.clear()
    assert met(0, False)

    arm(*ARGUMENTS[name], times=0, path=path)
    assert met(0, False)


@pytest.mark.parametrize("name", sorted(set(ARGUMENTS) | {"refuse_handshakes", "refuse_joins"}))
def test_a_negative_number_of_times_is_refused(sandbox: Sandbox, name: str) -> None:
    arguments = ("no",) if name == "refuse_joins" else ARGUMENTS.get(name, ())
    with pytest.raises(ValueError, match="times must not be negative: -1"):
        getattr(sandbox.faults, name)(*arguments, times=-1)


def test_an_empty_page_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="at least 1 row, not 0"):
        sandbox.faults.cap_pages(0)


def test_the_usual_pages_come_back(sandbox: Sandbox, alice: User) -> None:
    talk = alice.conversation()
    for _ in range(3):
        alice.send(talk, body="x")
    sandbox.faults.cap_pages(1)
    sandbox.faults.cap_pages(2)
    assert len(alice.page(talk)) == len(alice.page(talk, limit="9" * 5000)) == 2
    sandbox.faults.cap_pages(None)
    assert len(alice.page(talk)) == 3


def test_several_limits_hold_at_once(sandbox: Sandbox, alice: User) -> None:
    sandbox.faults.limit_rate(2, 60)
    sandbox.faults.limit_rate(1, 60, path="/v1/me")
    paths = ("/v1/me", "/v1/me", "/v1/conversations")
    assert [alice.http.get(path).status_code for path in paths] == [200, 429, 429]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0"), (1.5, "1.5"), (60, "60"), (86_400, "86400"), (12_345_678, "12345678")],
)
def test_retry_after_is_written_out(
    sandbox: Sandbox, alice: User, seconds: float, text: str
) -> None:
    sandbox.faults.fail(503, retry_after=seconds)
    assert alice.http.get("/v1/me").headers["retry-after"] == text


def test_joins_of_one_topic(sandbox: Sandbox, alice: User) -> None:
    topic = f"conversation:{alice.conversation()}"
    sandbox.faults.refuse_joins("not now", times=None, topic="user:*")
    phone = alice.phone()
    for ref in ("1", "2"):
        phone.send(ref, ref, f"user:{alice.id}", "phx_join", {})
        refused = {"response": {"reason": "not now"}, "status": "error"}
        assert phone.hear()[4] == refused
    phone.join(topic)
    sandbox.faults.clear()
    phone.listen(f"user:{alice.id}", "3")
