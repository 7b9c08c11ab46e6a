"""Faults over HTTP are those of `sandbox.faults`: one table, armed and seen from both sides."""

from __future__ import annotations

import inspect
from typing import Any

import httpx
import pytest

from poolse.sandbox import faults as armed_faults
from poolse.sandbox.fault_kinds import fault_kinds
from poolse.testing import FaultControl, Sandbox
from tests.sandbox.control_client import Control
from tests.sandbox.raw_clients import User

METHODS = {name for name in vars(FaultControl) if not name.startswith("_")}

ARMED: dict[str, dict[str, Any]] = {
    "fail": {"status": 418, "retry_after": 2.5, "code": "teapot"},
    "limit_rate": {"requests": 0, "seconds": 60},
    "drop": {"executed": True},
    "lose_answers": {},
    "forget_idempotency": {},
    "latency": {"seconds": 60.0},
    "hang": {},
    "drip": {"interval": 0.5},
    "cut_uploads": {"after": 10},
    "cut_downloads": {"after": 0},
    "expire_urls": {},
    "cap_pages": {"rows": 1},
    "refuse_joins": {"reason": "no", "topic": "user:*"},
    "refuse_handshakes": {"status": 503},
}
"""Faults that are armed, with arguments."""

AT_ONCE = METHODS - ARMED.keys()


def in_force(control: Control) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = control.get("/_sandbox/faults")["data"]
    return data


def test_the_kinds_are_the_methods(control: Control) -> None:
    kinds = {kind["kind"]: kind for kind in control.get("/_sandbox/faults/kinds")["data"]}
    assert set(kinds) == METHODS
    for name, kind in kinds.items():
        parameters = inspect.signature(getattr(FaultControl, name)).parameters
        assert [one["name"] for one in kind["arguments"]] == [*parameters][1:]
        assert kind["description"]
        for one in kind["arguments"]:
            default = parameters[one["name"]].default
            assert one["required"] is (default is inspect.Parameter.empty)
            assert one["required"] or one["default"] == default
            # Two have a docstring of one line.
            assert one["description"].endswith((".", ")")) or name in {"crash", "close_channel"}
    status = kinds["fail"]["arguments"][0]
    assert status == {
        "name": "status",
        "type": "integer",
        "nullable": False,
        "default": 503,
        "required": False,
        "minimum": 200,
        "maximum": 599,
        "description": "HTTP status of the response.",
    }


def test_each_fault_that_can_be_armed_names_its_method() -> None:
    names = {
        one.kind for one in vars(armed_faults).values() if isinstance(getattr(one, "kind", 0), str)
    }
    assert names == ARMED.keys()


@pytest.mark.parametrize("kind", sorted(ARMED))
def test_what_is_armed_over_http_is_what_python_arms(
    sandbox: Sandbox, control: Control, kind: str
) -> None:
    over_http = control.post("/_sandbox/faults", kind=kind, **ARMED[kind])
    assert over_http["kind"] == kind
    assert over_http["arguments"] == ARMED[kind]
    getattr(sandbox.faults, kind)(**ARMED[kind])
    first, second = in_force(control)
    assert first == over_http
    assert {**second, "id": first["id"]} == first
    assert control.ask("DELETE", f"/_sandbox/faults/{first['id']}").status_code == 204
    assert in_force(control) == [second]
    assert control.ask("DELETE", f"/_sandbox/faults/{first['id']}").status_code == 404
    assert control.ask("DELETE", "/_sandbox/faults").status_code == 204
    assert in_force(control) == []


def test_a_fault_of_http_is_met_by_requests(control: Control, alice: User) -> None:
    control.post("/_sandbox/faults", kind="fail", status=418, times=2, path="/v1/me", method="get")
    assert alice.http.get("/v1/conversations").status_code == 200
    assert alice.http.get("/v1/me").status_code == 418
    (left,) = in_force(control)
    assert (left["times"], left["path"], left["method"]) == (1, "/v1/me", "get")
    assert alice.http.get("/v1/me").status_code == 418
    assert in_force(control) == []
    assert alice.http.get("/v1/me").status_code == 200
    control.post("/_sandbox/faults", kind="drop", times=None)
    with pytest.raises(httpx.TransportError):
        alice.http.get("/v1/me")
    control.ask("DELETE", "/_sandbox/faults")
    assert alice.http.get("/v1/me").status_code == 200


def test_python_clears_what_http_armed_and_the_reverse(
    sandbox: Sandbox, control: Control, alice: User
) -> None:
    control.post("/_sandbox/faults", kind="fail", times=None)
    sandbox.faults.clear()
    assert in_force(control) == []
    sandbox.faults.fail(times=None)
    control.post("/_sandbox/faults", 204, kind="clear")
    assert alice.http.get("/v1/me").status_code == 200


def test_sockets(sandbox: Sandbox, control: Control, alice: User) -> None:
    phone = alice.phone()
    control.post("/_sandbox/faults", 204, kind="drop_sockets", code=4000, external_id="bob")
    phone.assert_quiet()
    control.post("/_sandbox/faults", 204, kind="drop_sockets", code=4000)
    assert phone.close_code() == 4000
    control.post("/_sandbox/faults", kind="refuse_joins", reason="full")
    phone = alice.phone()
    phone.send("1", "1", f"user:{alice.id}", "phx_join", {})
    assert phone.hear()[4] == {"response": {"reason": "full"}, "status": "error"}
    phone.listen(f"user:{alice.id}")
    control.post("/_sandbox/faults", 204, kind="crash", topic=f"user:{alice.id}")
    assert phone.hear()[3] == "phx_error"


def test_settings_are_shown(sandbox: Sandbox, control: Control) -> None:
    disturbed = {"lost": 0.25, "doubled": 1, "delayed": 0.5, "seconds": 2}
    control.post("/_sandbox/faults", 204, kind="disturb_broadcasts", **disturbed, seed=7)
    control.post("/_sandbox/faults", 204, kind="mute")
    faults = control.get("/_sandbox/faults")
    assert (faults["broadcasts"], faults["muted"]) == (disturbed, True)
    control.post("/_sandbox/faults", 204, kind="unmute")
    assert control.get("/_sandbox/faults")["muted"] is False
    sandbox.faults.clear()
    assert control.get("/_sandbox/faults")["broadcasts"]["lost"] == 0


def test_what_is_armed_no_times_is_not_armed(control: Control) -> None:
    control.post("/_sandbox/faults", 204, kind="fail", times=0)
    control.post("/_sandbox/faults", kind="cap_pages", rows=3)
    control.post("/_sandbox/faults", 204, kind="cap_pages", rows=None)
    assert in_force(control) == []


def test_a_whole_number_may_have_a_point(control: Control) -> None:
    armed = control.post("/_sandbox/faults", kind="fail", status=418.0, times=3.0)
    assert (armed["arguments"]["status"], armed["times"]) == (418, 3)


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({}, "kind", "must be one of clear, fail, "),
        ({"kind": "explode"}, "kind", "must be one of clear, fail, "),
        ({"kind": "_arm"}, "kind", "must be one of"),
        ({"kind": ["fail"]}, "kind", "must be one of"),
        ({"kind": "fail", "state": 1}, "state", "is unknown: the fields are kind, status, times"),
        ({"kind": "fail", "status": "503"}, "status", "must be of type integer"),
        ({"kind": "fail", "status": 503.5}, "status", "must be of type integer"),
        ({"kind": "fail", "status": True}, "status", "must be of type integer"),
        ({"kind": "fail", "status": 99}, "status", "must be at least 200"),
        ({"kind": "fail", "status": 600}, "status", "must be at most 599"),
        ({"kind": "fail", "times": -1}, "times", "must be at least 0"),
        ({"kind": "fail", "path": 5}, "path", "must be of type string or null"),
        ({"kind": "latency"}, "seconds", "is required"),
        ({"kind": "latency", "seconds": None}, "seconds", "must be of type number"),
        ({"kind": "cap_pages", "rows": 0}, "rows", "must be at least 1"),
        ({"kind": "disturb_broadcasts", "lost": 1.5}, "lost", "must be at most 1"),
        ({"kind": "drop_sockets", "code": 5}, "code", "must be at least 1000"),
    ],
)
def test_wrong_names_types_and_values(
    control: Control, body: dict[str, Any], field: str, words: str
) -> None:
    complaints = control.complaints("POST", "/_sandbox/faults", body)
    assert list(complaints) == [field]
    assert complaints[field][0].startswith(words)
    assert in_force(control) == []


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("fail", {"status": 99}),
        ("latency", {"seconds": -1}),
        ("disturb_broadcasts", {"doubled": 2}),
        ("drop_sockets", {"code": 5}),
        ("cut_uploads", {"after": -1}),
    ],
)
def test_python_has_the_same_limits(
    sandbox: Sandbox, control: Control, name: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="must be at"):
        getattr(sandbox.faults, name)(**arguments)
    assert control.complaints("POST", "/_sandbox/faults", {"kind": name, **arguments})
    assert in_force(control) == []


def test_the_kinds_are_read_once() -> None:
    assert fault_kinds() is fault_kinds()
