"""The recorded vectors: which of them this client can run, and what satisfies one.

A vector holds what the official JavaScript client did. Where that is a defect, the vector names
better behaviours, and this client has to show one of those.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
import time
from pathlib import Path
from typing import Any, TypeGuard
from urllib.parse import parse_qsl, unquote

import attrs

import poolse
from poolse._json.models import Model
from tests.conformance.script_server import Seen

Json = Any
Expectation = dict[str, Any]

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
# A JavaScript built-in error that escaped: here, whatever is not one of the library's errors.
NATIVE = {"Error", "TypeError", "SyntaxError", "URIError", "RangeError"}


@attrs.define
class Observed:
    """What one run of a vector showed."""

    requests: list[Seen]
    sleeps: list[tuple[int, float]]
    """After which request, and how many seconds the client asked to sleep."""
    token_calls: int
    tokens: dict[int, str]
    result: object = None
    error: Exception | None = None


def is_object(value: Json) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def is_list(value: Json) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def load() -> list[dict[str, Any]]:
    """All of them, as they were recorded."""
    text = (Path(__file__).parent / "rest-vectors.json").read_text()
    vectors: list[dict[str, Any]] = json.loads(text)["vectors"]
    return vectors


def call_name(call: dict[str, Any]) -> str:
    return ".".join(part if isinstance(part, str) else "one()" for part in call["path"])


def make_token(script: Json) -> str | None:
    """A scripted token: a string, None, or the payload of an unsigned JWT."""
    if not is_object(script):
        return None if script is None else str(script)
    payload = dict(script["jwt"])
    if "exp_in" in payload:
        payload["exp"] = int(time.time()) + payload.pop("exp_in")
    parts = [json.dumps({"alg": "none"}), json.dumps(payload, ensure_ascii=False)]
    return ".".join([*(_base64(part) for part in parts), "sig"])


def _base64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def complaints(vector: dict[str, Any], seen: Observed) -> list[str]:
    """Empty when the run satisfies the vector, else what each allowed outcome misses."""
    allowed = vector.get("better_expect") or [vector["expect"], *vector.get("accept", [])]
    if vector.get("defect_level") == "debatable":
        allowed = [*allowed, vector["expect"]]
    found = [_complaint(expectation, seen) for expectation in allowed]
    return [] if None in found else [text for text in found if text]


def _complaint(expected: Expectation, seen: Observed) -> str | None:
    try:
        _check_requests(expected["requests"], seen)
        _check_outcome(expected, seen)
        _check_sleeps(expected["sleeps"], seen)
        calls = expected["get_token_calls"]
        assert calls in (None, seen.token_calls), f"{seen.token_calls} token calls, not {calls}"
    except AssertionError as problem:
        return str(problem)
    return None


def _check_requests(expected: list[dict[str, Any]] | None, seen: Observed) -> None:
    if expected is None:
        return
    assert len(seen.requests) == len(expected), f"{len(seen.requests)} requests: {seen.error!r}"
    uuids: dict[str, str] = {}
    for number, (want, got) in enumerate(zip(expected, seen.requests, strict=True), 1):
        at = f"request {number}"
        assert got.method == want["method"], f"{at}: {got.method}"
        assert _normal(got.path) == _normal(want["path"]), f"{at}: {got.path}"
        for name, value in want["headers"].items():
            _check_header(f"{at}: {name}", value, got.headers.get(name), seen.tokens, uuids)
        if "body_base64" in want:
            assert got.body == base64.b64decode(want["body_base64"]), f"{at}: other bytes"
        elif want["json"] is None and "body_text" not in want:
            assert not got.body, f"{at}: a body of {len(got.body)} bytes"
        else:
            body = json.loads(got.body)
            assert _fits(want["json"], body, uuids), f"{at}: sent {body}, not {want['json']}"


def _normal(path: str) -> tuple[str, list[tuple[str, str]]]:
    path, _, query = path.partition("?")
    return unquote(path), parse_qsl(query, keep_blank_values=True)


def _check_header(
    at: str, want: str | None, got: str | None, tokens: dict[int, str], uuids: dict[str, str]
) -> None:
    if want is None:
        assert got is None, f"{at} must be absent"
        return
    want = re.sub(r"\{\{token:(\d+)\}\}", lambda m: tokens.get(int(m[1]), "?"), want)
    if at.endswith("content-type"):
        got = (got or "").partition(";")[0]
    assert _fits(want, got, uuids), f"{at}: {got!r}, not {want!r}"


def _fits(want: Json, got: Json, uuids: dict[str, str]) -> bool:
    """Equal, where `{{uuid4:n}}` stands for any uuid4, the same one wherever n recurs."""
    if is_object(want) and is_object(got):
        return want.keys() == got.keys() and all(_fits(want[k], got[k], uuids) for k in want)
    if is_list(want) and is_list(got):
        return len(want) == len(got) and all(map(_fits, want, got, [uuids] * len(want)))
    if isinstance(want, str) and (place := re.fullmatch(r"\{\{uuid4:(\d+)\}\}", want)):
        return bool(UUID4.fullmatch(str(got))) and uuids.setdefault(place[1], got) == got
    return type(want) is type(got) and bool(want == got)


def _check_outcome(expected: Expectation, seen: Observed) -> None:
    if expected["error"] is not None:
        assert seen.error is not None, f"returned {seen.result!r}, {expected['error']} wanted"
        _check_error(expected["error"], seen.error)
        return
    if seen.error is not None:
        raise AssertionError(f"raised {seen.error!r}") from seen.error
    got = to_json(seen.result)
    assert expected["result"] == "*" or _same(expected["result"], got), f"returned {got}"


def _check_error(want: dict[str, Any], got: Exception) -> None:
    names = [kind.__name__ for kind in type(got).__mro__]
    if want["class"] == "*":
        assert not isinstance(got, AttributeError | NameError), repr(got)
        return
    if want["class"] in NATIVE:
        assert not isinstance(got, poolse.PoolseError), repr(got)
        return
    assert want["class"] in names, f"raised {got!r}"
    if not isinstance(got, poolse.ApiError) or "status" not in want:
        return
    assert got.status == want["status"], got.status
    assert got.code == want["code"], got.code
    assert got.doc_url == (want["doc_url"] or ""), got.doc_url
    assert (got.details or None) == (want.get("details") or None), got.details
    assert want.get("message_has", "") in str(got), str(got)
    if want["class"] == "RateLimitedError" and want.get("retry_after_ms") is not None:
        _check_range(want["retry_after_ms"], got.retry_after * 1000)


def _check_range(want: Json, got: float) -> None:
    low, high = (
        (want.get("min", 0), want.get("max", float("inf"))) if is_object(want) else (want, want)
    )
    assert low - 1e-6 <= got <= high + 1e-6, f"retry_after of {got} ms, not {want}"


def _check_sleeps(expected: list[dict[str, Any]] | None, seen: Observed) -> None:
    if expected is None:
        return
    wanted = [sleep for sleep in expected if sleep["max_ms"] > 0]
    assert len(wanted) == len(seen.sleeps), f"slept {seen.sleeps}, not {wanted}"
    for want, (after, seconds) in zip(wanted, seen.sleeps, strict=True):
        assert after == want["after_request"], f"slept after request {after}"
        # A Retry-After date has whole seconds, so the wait may be up to one shorter.
        low, high = want["min_ms"] / 1000 - 1.0, want["max_ms"] / 1000
        exact = want["min_ms"] in (0, want["max_ms"])
        assert (low + 1.0 if exact else low) - 1e-6 <= seconds <= high + 1e-3, f"{seconds} s"


def _same(want: Json, got: Json) -> bool:
    """Equal, where an absent key reads as null, and times are compared as instants."""
    if is_object(want) and is_object(got):
        return all(_same(want.get(k), got.get(k)) for k in {*want, *got})
    if is_list(want) and is_list(got):
        return len(want) == len(got) and all(map(_same, want, got))
    if isinstance(want, str) and isinstance(got, str) and want != got:
        return _instant(want) is not None and _instant(want) == _instant(got)
    return bool(want == got) or (want in (None, [], {}) and got in (None, [], {}))


def _instant(text: str) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def to_json(value: object) -> Json:
    return poolse.to_dict(value) if isinstance(value, Model) else value
