"""Settings, and what a view or a call changes of them."""

from __future__ import annotations

from poolse import CallOptions, CancelToken, Timeout
from poolse._rest.settings import merged
from tests.rest.scripted_io import settings


def test_headers_whose_names_differ_in_case_only_are_one() -> None:
    assert merged({"A": "1", "B": "2"}, {"a": "3"}) == {"B": "2", "a": "3"}


def test_a_call_changes_what_it_says_and_nothing_else() -> None:
    base = settings()
    assert base.for_call(None) is base
    stop = CancelToken()
    changed = base.for_call(CallOptions(timeout=2, cancel=stop))
    assert (changed.timeout, changed.cancel) == (Timeout(2), stop)
    assert (changed.max_retries, changed.headers) == (base.max_retries, base.headers)
    assert base.for_call(CallOptions(timeout=None)).timeout == Timeout.of(None)
