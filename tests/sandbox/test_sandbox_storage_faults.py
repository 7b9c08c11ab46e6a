"""Faults of the storage: what an upload and a download may meet."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from poolse.testing import Sandbox
from tests.sandbox.raw_clients import User, users_of
from tests.sandbox.upload_helpers import ask, link_of, put, uploaded, xml_error_of

SIZE = 1_000_000


@contextmanager
def peers(tls: bool) -> Generator[tuple[Sandbox, User, httpx.Client]]:
    """A sandbox, a user of it, and a client for its storage."""
    with Sandbox(tls=tls) as sandbox:
        verify = sandbox.ssl_context() if tls else False
        with (
            users_of(sandbox, tls=tls) as new_user,
            httpx.Client(verify=verify, trust_env=False) as wire,
        ):
            yield sandbox, new_user("alice"), wire


def test_a_put_and_a_get_fail_with_a_status(
    sandbox: Sandbox, alice: User, wire: httpx.Client
) -> None:
    sandbox.faults.fail(503, path="/storage/*", method="put", retry_after=2)
    sandbox.faults.fail(500, path="/storage/*", method="GET", code="slow_down")
    asked = ask(alice, 4)
    answer = put(wire, asked, b"data")
    assert xml_error_of(answer) == (503, "ServiceUnavailable")
    assert answer.headers["retry-after"] == "2"
    link = link_of(alice, asked["attachment"]["id"])
    assert xml_error_of(wire.get(link)) == (500, "SlowDown")
    assert xml_error_of(wire.get(link)) == (404, "NoSuchKey")
    assert put(wire, asked, b"data").status_code == 200
    assert wire.get(link).content == b"data"


@pytest.mark.parametrize("tls", [False, True])
def test_an_upload_is_cut_on_its_way(tls: bool) -> None:
    with peers(tls) as (sandbox, alice, wire):
        asked = ask(alice, SIZE)
        sandbox.faults.cut_uploads(SIZE // 2)
        with pytest.raises(httpx.TransportError):
            put(wire, asked, b"x" * SIZE)
        sandbox.wait_for(lambda: sandbox.requests[-1].cut)
        assert SIZE // 2 <= sandbox.requests[-1].size < SIZE
        link = link_of(alice, asked["attachment"]["id"])
        assert xml_error_of(wire.get(link)) == (404, "NoSuchKey")
        assert put(wire, asked, b"x" * SIZE).status_code == 200


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("after", [0, 1, SIZE // 2])
def test_a_download_ends_on_its_way_and_resumes_there(tls: bool, after: int) -> None:
    with peers(tls) as (sandbox, alice, wire):
        data = bytes(range(250)) * (SIZE // 250)
        link = link_of(alice, uploaded(alice, wire, data))
        sandbox.faults.cut_downloads(after)
        got = beginning(wire, link)
        assert got == data[:after]
        rest = wire.get(link, headers={"range": f"bytes={after}-"})
        assert (rest.status_code, got + rest.content) == (206, data)


def beginning(wire: httpx.Client, link: str) -> bytes:
    """What arrives of a download before its connection ends."""
    got: list[bytes] = []
    with wire.stream("GET", link) as answer, pytest.raises(httpx.TransportError):
        got.extend(answer.iter_raw())
    return b"".join(got)


def test_signed_urls_expire_at_once(sandbox: Sandbox, alice: User, wire: httpx.Client) -> None:
    sandbox.faults.expire_urls(times=2, method="PUT")
    for _ in range(2):
        answer = put(wire, ask(alice, 4), b"data")
        assert xml_error_of(answer) == (403, "AccessDenied")
        assert "Request has expired" in answer.text
    asked = ask(alice, 4)
    assert put(wire, asked, b"data").status_code == 200


def test_faults_are_for_the_files_they_name(
    sandbox: Sandbox, alice: User, wire: httpx.Client
) -> None:
    one, two = ask(alice, 4), ask(alice, 4)
    sandbox.faults.expire_urls(path=f"/storage/*/{one['attachment']['id']}")
    sandbox.faults.cut_uploads(0, path=f"/storage/*/{one['attachment']['id']}")
    assert put(wire, two, b"data").status_code == 200
    assert xml_error_of(put(wire, one, b"data")) == (403, "AccessDenied")
    with pytest.raises(httpx.TransportError):
        put(wire, one, b"data")
    assert put(wire, one, b"data").status_code == 200


def test_a_lost_answer_to_an_upload(sandbox: Sandbox, alice: User, wire: httpx.Client) -> None:
    asked = ask(alice, 4)
    sandbox.faults.lose_answers(path="/storage/*")
    with pytest.raises(httpx.TransportError):
        put(wire, asked, b"data")
    link = link_of(alice, asked["attachment"]["id"])
    assert wire.get(link).content == b"data"
    assert put(wire, asked, b"data").status_code == 200


def test_an_upload_hangs_until_release(sandbox: Sandbox, alice: User, wire: httpx.Client) -> None:
    asked = ask(alice, SIZE)
    answers: list[Any] = []
    sandbox.faults.hang(path="/storage/*")
    thread = threading.Thread(target=lambda: answers.append(put(wire, asked, b"x" * SIZE)))
    thread.start()
    sandbox.wait_for(lambda: sandbox.requests[-1].method == "PUT")
    assert sandbox.requests[-1].status is None
    sandbox.faults.release()
    thread.join()
    assert answers[0].status_code == 200


def test_a_download_drips(sandbox: Sandbox, alice: User, wire: httpx.Client) -> None:
    link = link_of(alice, uploaded(alice, wire, b"data"))
    sandbox.faults.drip(0.001, path="/storage/*")
    with wire.stream("GET", link) as answer:
        assert b"".join(answer.iter_raw()) == b"data"
