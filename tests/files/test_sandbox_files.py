"""Files against the sandbox: its storage refuses whatever is not exactly as it was signed."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import pytest

from poolse import (
    ApiError,
    Attachment,
    CallOptions,
    DownloadError,
    NetworkError,
    UploadError,
)
from poolse.testing import Sandbox
from tests.files.sync_and_async_clients import FLAVOURS, Client

SIZE = 1_000_000
CONTENT = bytes(range(250)) * (SIZE // 250)
TENTHS = [SIZE * tenth // 10 for tenth in range(1, 10)]


@pytest.fixture(params=FLAVOURS)
def client(request: pytest.FixtureRequest, sandbox: Sandbox) -> Client:
    return Client(request.param, sandbox.url, token=sandbox.token("alice"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "cat.png"
    path.write_bytes(CONTENT)
    return path


def uploaded(client: Client, path: Path) -> Attachment:
    """A file that is linked to a message, so that its row has a hash."""

    def send(chat: Any) -> Any:
        return chat.conversations.create(type="group")

    row = client(lambda chat: chat.attachments.upload(path))
    group = client(send)
    message = client(
        lambda chat: chat.conversations.one(group.id).messages.send(attachment_ids=[row.id])
    )
    linked: Attachment = message.attachments[0]
    return linked


@pytest.mark.parametrize("size", [0, 1, SIZE])
def test_there_and_back_with_the_hash_of_the_row(client: Client, path: Path, size: int) -> None:
    path.write_bytes(CONTENT[:size])
    row = uploaded(client, path)
    assert row.sha256 == hashlib.sha256(CONTENT[:size]).hexdigest()
    assert client(lambda chat: chat.attachments.one(row).download()) == CONTENT[:size]
    to = path.with_name("copy.png")
    assert client(lambda chat: chat.attachments.one(row).download(to)) == to
    assert to.read_bytes() == CONTENT[:size]


def test_a_handle_keeps_the_row_that_it_was_made_with(client: Client, path: Path) -> None:
    row = uploaded(client, path)

    async def later(chat: Any) -> Any:
        return chat.attachments.one(row), chat.attachments.one(row.id)

    def now(chat: Any) -> Any:
        return chat.attachments.one(row), chat.attachments.one(row.id)

    by_row, by_id = client(later if client.is_async else now)
    assert (by_row.id, by_row.row) == (row.id, row)
    assert (by_id.id, by_id.row) == (row.id, None)


@pytest.mark.parametrize("after", TENTHS)
def test_an_upload_that_is_cut_is_sent_again(
    client: Client, sandbox: Sandbox, path: Path, after: int
) -> None:
    sandbox.faults.cut_uploads(after)
    with pytest.raises(NetworkError):
        client(lambda chat: chat.attachments.upload(path, options=CallOptions(max_retries=0)))
    sandbox.faults.cut_uploads(after)
    row = client(lambda chat: chat.attachments.upload(path))
    assert client(lambda chat: chat.attachments.one(row).download()) == CONTENT


@pytest.mark.parametrize("after", TENTHS)
def test_a_download_that_is_cut_resumes(
    client: Client, sandbox: Sandbox, path: Path, tmp_path: Path, after: int
) -> None:
    row = client(lambda chat: chat.attachments.upload(path))
    sandbox.faults.cut_downloads(after)
    with pytest.raises(NetworkError):
        client(
            lambda chat: chat.attachments.one(row).download(
                tmp_path / "x", options=CallOptions(max_retries=0)
            )
        )
    assert not (tmp_path / "x").exists()
    sandbox.faults.cut_downloads(after)
    client(lambda chat: chat.attachments.one(row).download(tmp_path / "x"))
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert {entry.name for entry in tmp_path.iterdir()} == {"in", "x"}
    wanted = sandbox.requests[-1].headers.get("range")
    if client.is_async:
        # aiohttp loses what it has received, but not handed on, with the connection.
        assert wanted is None or int(wanted.strip("bytes=-")) <= after
    else:
        assert wanted == f"bytes={after}-"


def test_a_url_that_expires_before_the_bytes_are_there_is_replaced(
    client: Client, sandbox: Sandbox, path: Path
) -> None:
    sandbox.faults.expire_urls(method="PUT")
    row = client(lambda chat: chat.attachments.upload(path))
    sandbox.faults.expire_urls(method="GET")
    assert client(lambda chat: chat.attachments.one(row).download()) == CONTENT
    asked = [request for request in sandbox.requests if "upload-url" in request.path]
    assert len({request.headers["idempotency-key"] for request in asked}) == 2


def test_a_clock_that_jumps_while_the_bytes_are_under_way(client: Client, sandbox: Sandbox) -> None:
    """The URL is good when it is asked for, and too old when the first attempt has failed."""

    class Slow(io.BytesIO):
        reads = 0

        def read(self, size: int | None = -1, /) -> bytes:
            self.reads += 1
            # The first piece is read before the URL is asked for.
            if self.reads == 2:
                sandbox.clock.advance(86_400)
            return super().read(size)

    sandbox.faults.fail(503, path="/storage/*")
    token = sandbox.token("alice", lifetime=1_000_000.0)
    given = Client(client.flavour, sandbox.url, token=token)
    row = given(lambda chat: chat.attachments.upload(Slow(CONTENT)))
    assert row.byte_size == SIZE
    puts = [request.status for request in sandbox.requests if request.method == "PUT"]
    assert puts == [503, 403, 200]


def test_what_is_refused_is_reported(client: Client, sandbox: Sandbox, path: Path) -> None:
    sandbox.faults.fail(404, path="/storage/*")
    with pytest.raises(UploadError, match="returned HTTP 404") as caught:
        client(lambda chat: chat.attachments.upload(path))
    assert caught.value.status == 404
    row = client(
        lambda chat: chat.attachments.request_upload(content_type="a/b", byte_size=5)
    ).attachment
    with pytest.raises(DownloadError, match="returned HTTP 404: NoSuchKey"):
        client(lambda chat: chat.attachments.one(row).download())


def test_a_size_that_nobody_may_upload_is_refused_by_the_api(client: Client) -> None:
    pieces = iter([b"never read"])
    with pytest.raises(ApiError) as caught:
        client(lambda chat: chat.attachments.upload(pieces, byte_size=5 * 2**30))
    assert caught.value.code == "attachment_too_large"
    assert next(pieces) == b"never read"


def test_several_at_once(client: Client, path: Path) -> None:
    rows = client(lambda chat: chat.attachments.upload_many([path] * 5))
    assert len({row.id for row in rows}) == 5
