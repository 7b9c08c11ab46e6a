"""An S3-compatible storage with URLs signed by Amazon's client, also when connections are lost."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from poolse import CallOptions, DownloadError, NetworkError
from tests.files.disconnecting_proxy import Cutter
from tests.files.s3 import S3, SignedWorld
from tests.files.scripted_storage import row_of
from tests.files.sync_and_async_clients import FLAVOURS, GIVEN, Client

SIZE = 1_000_000
CONTENT = bytes(range(250)) * (SIZE // 250)
TENTHS = [SIZE * tenth // 10 for tenth in range(1, 10)]
ONCE = CallOptions(max_retries=0)


@pytest.fixture
def cutter(s3: S3) -> Iterator[Cutter]:
    with Cutter(s3.port) as cutter:
        yield cutter


@pytest.fixture
def signed(s3: S3, cutter: Cutter) -> Iterator[SignedWorld]:
    s3.delete("a-1")
    with SignedWorld(s3, cutter.port) as world:
        yield world


@pytest.fixture(params=FLAVOURS)
def client(request: pytest.FixtureRequest, signed: SignedWorld) -> Client:
    return Client(request.param, signed.base)


@pytest.mark.parametrize("flavour", sorted(FLAVOURS + GIVEN))
def test_there_and_back(s3: S3, signed: SignedWorld, flavour: str, tmp_path: Path) -> None:
    client = Client(flavour, signed.base)
    path = tmp_path / "größe.tar.gz"
    path.write_bytes(CONTENT)
    row = client(lambda chat: chat.attachments.upload(path))
    assert s3.content("a-1") == CONTENT
    assert client(lambda chat: chat.attachments.one(row).download()) == CONTENT
    assert row.content_type == "application/gzip"
    s3.delete("a-1")
    with pytest.raises(DownloadError, match="returned HTTP 404: NoSuchKey"):
        client(lambda chat: chat.attachments.one(row).download())


@pytest.mark.parametrize("after", TENTHS)
def test_an_upload_that_is_cut_is_sent_again(
    s3: S3, signed: SignedWorld, client: Client, cutter: Cutter, after: int
) -> None:
    cutter.cuts = [("up", after), ("up", after)]
    with pytest.raises(NetworkError):
        client(lambda chat: chat.attachments.upload(io.BytesIO(CONTENT), options=ONCE))
    assert s3.content("a-1") is None
    row = client(lambda chat: chat.attachments.upload(io.BytesIO(CONTENT)))
    assert s3.content(row.id) == CONTENT
    s3.delete(row.id)


@pytest.mark.parametrize("after", TENTHS)
def test_a_download_that_is_cut_resumes(
    s3: S3, signed: SignedWorld, client: Client, cutter: Cutter, tmp_path: Path, after: int
) -> None:
    s3.put("a-1", CONTENT)
    row = row_of(CONTENT)
    cutter.cuts = [("down", after), ("down", after)]
    with pytest.raises(NetworkError):
        client(lambda chat: chat.attachments.one(row).download(tmp_path / "x", options=ONCE))
    assert list(tmp_path.iterdir()) == []
    assert client(lambda chat: chat.attachments.one(row).download(tmp_path / "x"))
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [tmp_path / "x"]
    # aiohttp loses what it has received, but not handed on, with the connection.
    if not client.is_async:
        assert b"\r\nRange: bytes=" in cutter.heads[-1]
        assert b"\r\nIf-Range: " in cutter.heads[-1]
