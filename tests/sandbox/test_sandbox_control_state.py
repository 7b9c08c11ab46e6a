"""The sandbox over HTTP: health, users and tokens, reset, seed and clock."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from poolse.testing import Sandbox
from tests.sandbox.control_client import Control, control_of
from tests.sandbox.raw_clients import NewUser, User

DAY = 24 * 3600.0


def me(sandbox: Sandbox, token: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"}
    return httpx.get(f"{sandbox.url}/v1/me", headers=headers, trust_env=False)


def test_health(control: Control, alice: User, bob: User) -> None:
    alice.phone()
    health = control.get("/_sandbox/health")
    assert health.pop("version")
    assert health == {"status": "ok", "api": "2", "users": 2, "sockets": 1}
    assert control.http.head("/_sandbox/health").status_code == 200


def test_the_version_of_an_older_api() -> None:
    with Sandbox(api="1.1") as sandbox, control_of(sandbox) as control:
        assert control.get("/_sandbox/health")["api"] == "1.1"


def test_environment(sandbox: Sandbox, control: Control) -> None:
    environment = control.get("/_sandbox/environment")
    assert environment | {"swagger": None} == {
        "swagger": None,
        "api_url": sandbox.url,
        "ws_url": sandbox.ws_url,
        "api_key": sandbox.api_key,
        "ca_file": None,
    }


def test_users_are_created_once(sandbox: Sandbox, control: Control) -> None:
    eve = control.post("/_sandbox/users", external_id="eve", display_name="Eve")
    assert eve == {
        "id": sandbox.user_id("eve"),
        "external_id": "eve",
        "display_name": "Eve",
        "blocked": False,
    }
    assert control.post("/_sandbox/users", 200, external_id="eve", display_name="E") == eve
    adam = control.post("/_sandbox/users", external_id="adam")
    assert control.get("/_sandbox/users") == {"data": [eve, adam]}


@pytest.mark.parametrize(
    ("body", "complaints"),
    [
        ({}, {"external_id": ["is required"]}),
        ({"external_id": ""}, {"external_id": ["can't be blank"]}),
        ({"external_id": "  "}, {"external_id": ["can't be blank"]}),
        ({"external_id": 5}, {"external_id": ["must be of type string"]}),
        (
            {"external_id": "x", "name": "y"},
            {"name": ["is unknown: the fields are external_id, display_name"]},
        ),
    ],
)
def test_a_user_that_is_invalid(
    control: Control, body: dict[str, Any], complaints: dict[str, list[str]]
) -> None:
    assert control.complaints("POST", "/_sandbox/users", body) == complaints
    assert control.get("/_sandbox/users")["data"] == []


def test_users_are_blocked(control: Control, alice: User) -> None:
    assert alice.http.get("/v1/conversations").status_code == 200
    for blocked, status in ((True, 403), (False, 200)):
        answer = control.ask("PATCH", "/_sandbox/users/alice", json={"blocked": blocked})
        assert answer.json()["blocked"] is blocked
        assert alice.http.get("/v1/conversations").status_code == status
    assert control.ask("PATCH", "/_sandbox/users/x", json={"blocked": True}).status_code == 404
    assert "blocked" in control.complaints("PATCH", "/_sandbox/users/alice", {"blocked": 1})


@pytest.mark.parametrize("name", ["bob", "a/b", "a b", "ü", "..", "{external_id}"])
def test_tokens(sandbox: Sandbox, control: Control, name: str) -> None:
    path = f"/_sandbox/users/{httpx.QueryParams({'x': name})}".replace("x=", "").replace("+", "%20")
    path = f"{path.replace('..', '%2E%2E')}/tokens"
    token = control.post(path)["token"]
    assert me(sandbox, token).json()["external_id"] == name
    expired = control.post(path, lifetime=-1)["token"]
    assert me(sandbox, expired).status_code == 401
    short = control.post(path, lifetime=DAY)["token"]
    sandbox.clock.advance(DAY - 5)
    assert me(sandbox, short).status_code == 200
    sandbox.clock.advance(6)
    assert me(sandbox, short).status_code == 401
    for lifetime in ("1", None, 1e300, True):
        assert "lifetime" in control.complaints("POST", path, {"lifetime": lifetime})


def test_reset(sandbox: Sandbox, control: Control, alice: User) -> None:
    phone = alice.phone()
    key = sandbox.api_key
    control.post("/_sandbox/faults", kind="hang", times=None)
    control.post("/_sandbox/faults", 204, kind="mute")
    sandbox.clock.advance(60)
    assert control.ask("POST", "/_sandbox/reset").status_code == 204
    assert phone.close_code() in {1012, 1006}
    assert sandbox.api_key != key
    assert (sandbox.requests, sandbox.handshakes, sandbox.sockets) == ([], [], 0)
    assert sandbox.clock.offset == 0
    assert control.get("/_sandbox/health")["users"] == 0
    assert control.get("/_sandbox/traffic")["data"] == []
    faults = control.get("/_sandbox/faults")
    assert (faults["data"], faults["muted"]) == ([], False)
    assert me(sandbox, sandbox.token("alice")).status_code == 200


def test_resets_at_once(sandbox: Sandbox) -> None:
    """None waits for another one, whoever asks. One that was not read yet may be cut."""

    def reset(number: int) -> int:
        if number % 4 == 0:
            sandbox.reset()
            return 204
        try:
            url = f"{sandbox.url}/_sandbox/reset"
            return httpx.post(url, trust_env=False, timeout=30).status_code
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.ConnectError):
            return 0

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(reset, range(24)))
    assert 204 in outcomes
    assert set(outcomes) <= {0, 204}
    assert me(sandbox, sandbox.token("alice")).status_code == 200


SEED: dict[str, Any] = {
    "users": [{"external_id": "bob", "display_name": "Bob", "custom_data": {"a": [1]}}],
    "conversations": [
        {
            "name": "Team",
            "members": ["alice", "bob"],
            "messages": [{"from": "alice", "body": "Hello, bob"}, {"from": "bob", "body": "Hi"}],
        },
        {"type": "direct", "members": ["bob", "carol"]},
    ],
}


def test_a_seed(sandbox: Sandbox, control: Control, new_user: NewUser) -> None:
    alice = new_user("alice")
    phone = alice.phone()
    phone.listen(f"user:{alice.id}")
    made = control.post("/_sandbox/seed", **SEED)["conversations"]
    assert list(made) == ["Team", "number 2"]
    _, _, _, event, payload = phone.hear()
    assert (event, payload["id"]) == ("conversation:created", made["Team"])
    page = alice.page(made["Team"])
    assert [row["body"] for row in page] == ["Hi", "Hello, bob"]
    assert alice.http.get("/v1/conversations").json()["data"][0]["unread_count"] == 1
    names = {user["external_id"]: user for user in control.get("/_sandbox/users")["data"]}
    assert list(names) == ["alice", "bob", "carol"]
    assert names["bob"]["display_name"] == "Bob"
    # Again: what has a name is kept.
    again = control.post("/_sandbox/seed", **SEED)["conversations"]
    assert again["Team"] == made["Team"]
    assert sandbox.seed(SEED)["Team"] == made["Team"]
    assert sandbox.seed({}) == {}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"people": []}, "unknown key 'people' in the seed: expected one of users, conversations"),
    ({"users": [{}]}, "user 1 in the seed has no external_id"),
    ({"users": [{"external_id": " "}]}, "is blank"),
    ({"conversations": [{"members": []}]}, "members of conversation 1 in the seed is empty"),
    ({"conversations": [{"members": [1]}]}, "must be texts"),
    ({"conversations": [{"members": ["a"], "type": "x"}]}, "type"),
    ({"conversations": [{"members": ["a"], "type": "direct"}]}, "exactly two members"),
    (
        {
            "users": [{"external_id": "z"}],
            "conversations": [{"members": ["a"], "messages": [{"from": "b", "body": "x"}]}],
        },
        "not a member",
    ),
]


@pytest.mark.parametrize(("seed", "complaint"), REFUSED)
def test_a_seed_that_is_invalid_creates_nothing(
    sandbox: Sandbox, control: Control, seed: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        sandbox.seed(seed)
    assert control.complaints("POST", "/_sandbox/seed", seed)
    assert control.get("/_sandbox/users")["data"] == []


def test_the_clock(sandbox: Sandbox, control: Control, alice: User) -> None:
    before = control.get("/_sandbox/clock")
    assert before["offset"] == 0
    after = control.ask("PATCH", "/_sandbox/clock", json={"forward": DAY}).json()
    assert after["offset"] == sandbox.clock.offset == DAY
    assert after["now"] > before["now"]
    assert alice.http.get("/v1/me").status_code == 401
    for forward in (-1, "1", None, 1e300):
        assert "forward" in control.complaints("PATCH", "/_sandbox/clock", {"forward": forward})
    assert control.ask("DELETE", "/_sandbox/clock").json()["offset"] == 0
    assert alice.http.get("/v1/me").status_code == 200
    for _ in range(50):
        control.ask("PATCH", "/_sandbox/clock", json={"forward": 4e9})
    assert "forward" in control.complaints("PATCH", "/_sandbox/clock", {"forward": 4e9})
    assert sandbox.token("alice")
