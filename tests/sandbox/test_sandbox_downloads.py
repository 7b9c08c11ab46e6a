"""Downloads from the storage: whole, in parts, and of large files."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Iterator

import httpx
import pytest

from poolse.testing import Sandbox
from tests.sandbox.raw_clients import User, users_of
from tests.sandbox.upload_helpers import PNG, ask, link_of, uploaded, xml_error_of

DATA = b"0123456789"
ETAG = f'"{hashlib.sha256(DATA).hexdigest()}"'


@pytest.fixture
def link(alice: User, wire: httpx.Client) -> str:
    """The URL of ten bytes."""
    return link_of(alice, uploaded(alice, wire, DATA))


def test_the_whole_file(wire: httpx.Client, link: str) -> None:
    got, head = wire.get(link), wire.head(link)
    assert (got.status_code, got.content) == (200, DATA)
    assert (head.status_code, head.content) == (200, b"")
    for answer in (got, head):
        assert answer.headers["content-length"] == "10"
        assert answer.headers["content-type"] == PNG
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["etag"] == ETAG
        assert "content-range" not in answer.headers


@pytest.mark.parametrize(
    ("header", "part", "said"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=9-9", b"9", "bytes 9-9/10"),
        ("bytes=4-", b"456789", "bytes 4-9/10"),
        ("bytes=4-99", b"456789", "bytes 4-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=-99", DATA, "bytes 0-9/10"),
        ("Bytes= 2 - 3", b"23", "bytes 2-3/10"),
    ],
)
def test_one_range(wire: httpx.Client, link: str, header: str, part: bytes, said: str) -> None:
    answer = wire.get(link, headers={"range": header})
    assert (answer.status_code, answer.content) == (206, part)
    assert answer.headers["content-range"] == said
    assert answer.headers["content-length"] == str(len(part))
    assert answer.headers["etag"] == ETAG


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-12", "bytes=-0"])
def test_a_range_outside_of_the_file(wire: httpx.Client, link: str, header: str) -> None:
    answer = wire.get(link, headers={"range": header})
    assert xml_error_of(answer) == (416, "InvalidRange")
    assert answer.headers["content-range"] == "bytes */10"


@pytest.mark.parametrize(
    "header", ["bytes=1-2,4-5", "bytes=3-2", "bytes=-", "bytes=x-", "lines=1-2", "bytes=1", "1-2"]
)
def test_a_range_that_is_not_understood_is_ignored(
    wire: httpx.Client, link: str, header: str
) -> None:
    answer = wire.get(link, headers={"range": header})
    assert (answer.status_code, answer.content) == (200, DATA)


def test_a_range_of_what_has_changed_is_the_whole(wire: httpx.Client, link: str) -> None:
    for seen, status in ((ETAG, 206), ('"other"', 200)):
        answer = wire.get(link, headers={"range": "bytes=2-", "if-range": seen})
        assert answer.status_code == status


def test_a_head_takes_no_range(wire: httpx.Client, link: str) -> None:
    answer = wire.head(link, headers={"range": "bytes=2-"})
    assert (answer.status_code, answer.headers["content-length"]) == (200, "10")


def test_an_empty_file(alice: User, wire: httpx.Client) -> None:
    link = link_of(alice, uploaded(alice, wire, b""))
    answer = wire.get(link)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == "0"
    answer = wire.get(link, headers={"range": "bytes=0-"})
    assert xml_error_of(answer) == (416, "InvalidRange")


def test_a_token_is_not_to_be_sent(alice: User, link: str) -> None:
    assert xml_error_of(alice.http.get(link)) == (400, "InvalidArgument")


def test_a_download_url_is_good_for_an_hour(
    sandbox: Sandbox, wire: httpx.Client, link: str
) -> None:
    sandbox.clock.advance(3570)
    assert wire.get(link).status_code == 200
    sandbox.clock.advance(31)
    assert xml_error_of(wire.get(link)) == (403, "AccessDenied")


CHUNK = bytes(range(256)) * 256


@pytest.mark.parametrize("tls", [False, True])
def test_a_large_file_is_never_held_as_a_whole(tls: bool) -> None:
    chunks = 512
    with Sandbox(tls=tls, max_attachment_bytes=2**30) as sandbox:
        verify = sandbox.ssl_context() if tls else False
        with (
            users_of(sandbox, tls=tls) as new_user,
            httpx.Client(verify=verify, trust_env=False) as wire,
        ):
            alice = new_user("alice")
            upload = ask(alice, chunks * len(CHUNK))
            url, headers = upload["upload"]["url"], upload["upload"]["headers"]
            assert url.startswith(sandbox.url)
            headers["content-length"] = str(chunks * len(CHUNK))
            tracemalloc.start()
            try:
                answer = wire.put(url, headers=headers, content=repeated(chunks))
                assert answer.status_code == 200
                link = link_of(alice, upload["attachment"]["id"])
                digest = hashlib.sha256()
                with wire.stream("GET", link) as answer:
                    for piece in answer.iter_raw():
                        digest.update(piece)
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
    assert peak < chunks * len(CHUNK) / 8
    expected = hashlib.sha256()
    for chunk in repeated(chunks):
        expected.update(chunk)
    assert digest.digest() == expected.digest()


def repeated(count: int) -> Iterator[bytes]:
    yield from (CHUNK for _ in range(count))
