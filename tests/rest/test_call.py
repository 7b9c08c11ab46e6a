"""One call from start to end, on a scripted `RequestIO`."""

from __future__ import annotations

import attrs
import pytest

from poolse import ApiError, AuthError, NetworkError, RateLimitedError
from poolse._rest.call import call
from poolse._rest.request_io import run_sync
from poolse.types import Json
from tests.rest.scripted_io import LOOK, THING, ScriptedIO, answer, header, io, settings


def change(script: ScriptedIO, **options: float) -> Json:
    terms = settings(**options)  # type: ignore[arg-type]
    return run_sync(call(io(script), terms, THING, {"thing_id": "7"}, body={"a": 1}))


def test_every_attempt_of_a_change_is_the_same_request() -> None:
    script = ScriptedIO(
        answer(503), NetworkError("lost"), answer(401), answer(200, b'{"ok": 1}'),
        tokens=("old", "new"),
    )  # fmt: skip
    assert change(script) == {"ok": 1}
    assert [header(request, "Authorization") for request in script.sent] == [
        "Bearer old", "Bearer old", "Bearer old", "Bearer new",
    ]  # fmt: skip
    assert {header(request, "Idempotency-Key") for request in script.sent} == {"key-1"}
    assert {(request.url, request.content) for request in script.sent} == {
        ("https://api.test/v1/things/7", b'{"a":1}')
    }


def test_the_waits_double() -> None:
    script = ScriptedIO(*[answer(500)] * 4, tokens=("t",))
    with pytest.raises(ApiError):
        change(script)
    assert script.slept == [0.25, 0.5, 1.0]


def test_a_refused_token_is_replaced_once_and_costs_no_retry() -> None:
    script = ScriptedIO(answer(401), answer(401), tokens=("a", "b", "c"))
    with pytest.raises(AuthError):
        change(script, max_retries=0)
    assert script.rejected == ["a"]
    assert script.slept == []


def test_a_refresh_leaves_the_budget_and_the_backoff_as_they_were() -> None:
    script = ScriptedIO(answer(401), answer(503), answer(200), tokens=("a", "b"))
    change(script, max_retries=1)
    assert script.slept == [0.25]


@pytest.mark.parametrize("status", [400, 403, 404, 409, 418, 422, 302])
def test_a_refusal_that_repeating_cannot_mend_is_raised_at_once(status: int) -> None:
    script = ScriptedIO(answer(status), tokens=("t",))
    with pytest.raises(ApiError) as caught:
        change(script)
    assert caught.value.status == status
    assert len(script.sent) == 1


def test_the_server_is_given_the_time_that_it_asks_for() -> None:
    busy = answer(429, headers={"retry-after": "7"})
    script = ScriptedIO(busy, answer(200), tokens=("t",))
    change(script)
    assert script.slept == [7.0]


def test_a_short_retry_after_does_not_shorten_the_backoff() -> None:
    busy = answer(429, headers={"retry-after": "0.1"})
    script = ScriptedIO(busy, answer(200), tokens=("t",))
    change(script)
    assert script.slept == [0.25]


def test_a_wait_over_the_limit_is_raised_instead_of_slept() -> None:
    busy = answer(429, headers={"retry-after": "61"})
    script = ScriptedIO(busy, tokens=("t",))
    with pytest.raises(RateLimitedError) as caught:
        change(script)
    assert caught.value.retry_after == 61.0
    assert script.slept == []


def test_a_lost_answer_is_asked_for_again_until_the_budget_is_used_up() -> None:
    script = ScriptedIO(*[NetworkError(f"loss {n}") for n in range(4)], tokens=("t",))
    with pytest.raises(NetworkError, match="loss 3"):
        change(script)
    assert len(script.sent) == 4


def test_a_change_without_a_key_is_never_sent_twice() -> None:
    keyless = attrs.evolve(settings(), idempotency_key=None)
    script = ScriptedIO(answer(503), tokens=("t",))
    with pytest.raises(ApiError):
        run_sync(call(io(script), keyless, THING, {"thing_id": "7"}, body={}))
    assert len(script.sent) == 1


def test_a_read_needs_no_key_to_be_repeated() -> None:
    script = ScriptedIO(answer(503), answer(200), tokens=("t",))
    run_sync(call(io(script), settings(), LOOK, {}))
    assert [header(request, "Idempotency-Key") for request in script.sent] == [None, None]


def test_a_refusal_of_the_callers_own_authorization_is_not_about_the_token() -> None:
    terms = attrs.evolve(settings(), headers={"authorization": "Basic mine"})
    script = ScriptedIO(answer(503), answer(401), tokens=())
    with pytest.raises(AuthError):
        run_sync(call(io(script), terms, LOOK, {}))
    assert [header(request, "authorization") for request in script.sent] == ["Basic mine"] * 2
    assert script.rejected == []


def test_an_empty_key_of_the_callers_own_makes_no_second_attempt_safe() -> None:
    terms = attrs.evolve(settings(), headers={"idempotency-key": ""})
    script = ScriptedIO(answer(503), tokens=("t",))
    with pytest.raises(ApiError):
        run_sync(call(io(script), terms, THING, {"thing_id": "7"}))
    assert len(script.sent) == 1


def test_without_a_token_no_authorization_is_sent() -> None:
    script = ScriptedIO(answer(200), tokens=(None,))
    change(script)
    assert header(script.sent[0], "Authorization") is None


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b'{"error": {"code": "not_found", "message": "gone"}}', "not_found", "gone"),
        (b'{"error": "some text"}', "unknown_error", "some text"),
        (b"<html>gateway</html>", "unknown_error", "HTTP 404"),
        (b"", "unknown_error", "HTTP 404"),
        (b"[]", "unknown_error", "HTTP 404"),
        (b'{"error": {"code": 7, "message": null}}', "7", "HTTP 404"),
        (b'{"error": {"code": 0, "message": 12}}', "0", "12"),
        (b'{"error": {"code": 4.5, "message": ["a", "b"]}}', "4.5", '["a", "b"]'),
        (b'{"error": {"code": true, "message": {"de": "weg"}}}', "true", '{"de": "weg"}'),
        (b'{"error": {"code": false, "message": ""}}', "false", "HTTP 404"),
        (b'{"error": {"code": {"id": 7}, "message": false}}', '{"id": 7}', "false"),
        (b'{"error": {"code": null, "message": "x"}}', "unknown_error", "x"),
        (b'{"error": {"code": "", "message": "x"}}', "unknown_error", "x"),
        (b'{"error": {"code": 12345678901234567890123}}', "12345678901234567890123", "HTTP 404"),
        (b'{"error": 7}', "unknown_error", "HTTP 404"),
        # A long number sends it to the parser of the standard library, whose stack ends sooner.
        (b"[" * 2000 + b"1" * 30 + b"]" * 2000, "unknown_error", "HTTP 404"),
        (b"1" * 5000, "unknown_error", "HTTP 404"),
    ],
)
def test_an_error_is_understood_with_and_without_envelope(
    body: bytes, code: str, message: str
) -> None:
    script = ScriptedIO(answer(404, body, {"x-request-id": "r-1"}), tokens=("t",))
    with pytest.raises(ApiError) as caught:
        change(script)
    assert (caught.value.code, caught.value.message) == (code, message)
    assert str(caught.value) == f"404 {code}: {message} (request_id=r-1)"


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://api.test/v2/x?token=s3cret#s3cret", "https://api.test/v2/x"),
        ("https://ann:s3cret@api.test/v2", "https://api.test/v2"),
        ("//api.test/", "//api.test/"),
        ("/login?next=s3cret", "/login"),
    ],
)
def test_a_redirect_says_where_it_points(location: str, shown: str) -> None:
    script = ScriptedIO(answer(301, b"", {"location": location}), tokens=("t",))
    with pytest.raises(ApiError) as caught:
        change(script)
    said = f"HTTP 301, a redirect to {shown}, which is not followed: check api_url"
    assert caught.value.message == said


@pytest.mark.parametrize(("status", "location"), [(301, None), (301, "?s3cret"), (404, "/login")])
def test_what_does_not_redirect_points_nowhere(status: int, location: str | None) -> None:
    headers = {} if location is None else {"location": location}
    script = ScriptedIO(answer(status, b"", headers), tokens=("t",))
    with pytest.raises(ApiError) as caught:
        change(script)
    assert caught.value.message == f"HTTP {status}"


@pytest.mark.parametrize("status", [404, 429, 503])
def test_a_status_may_say_that_there_is_nothing(status: int) -> None:
    endpoint = attrs.evolve(LOOK, none_on=(404, 429, 503))
    script = ScriptedIO(answer(status, b"not JSON"), tokens=("t",))
    assert run_sync(call(io(script), settings(), endpoint, {})) is None
    assert (len(script.sent), script.slept) == (1, [])
    script = ScriptedIO(answer(410), tokens=("t",))
    with pytest.raises(ApiError):
        run_sync(call(io(script), settings(), endpoint, {}))
