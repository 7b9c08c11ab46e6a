"""What comes out for methods that carry files: several at once, and back again from a row."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.codegen.source_pieces import piece
from tests.codegen.test_generated_singles import KEY, MORE_RESOURCES, PATHS, RESOURCES, SCHEMAS
from tests.codegen.tiny_spec import Shop, open_shop

HANDLE = "    pictures(picture_id): {doc: One picture., row: Picture}\n"
FETCH = """\
  /pictures/{picture_id}/place:
    parameters:
      - {name: picture_id, in: path, required: true, description: It., schema: {type: string}}
    get:
      operationId: findPicture
      summary: Where it is.
      x-sdk:
        resource: pictures(picture_id)
        method: find
        download: {method: fetch, summary: Fetch it., url: url, size: size, sha256: hash}
      responses:
        '200':
          description: The place.
          content: {application/json: {schema: {$ref: '#/components/schemas/Found'}}}
components:
"""
ROWS = """\
    Found: {type: object, required: [url], properties: {url: {type: string}}}
    Picture:
      type: object
      required: [id, size, hash]
      properties:
        id: {type: string}
        size: {type: integer}
        hash: {type: [string, 'null']}
"""
MANY = "many: {method: put_all, summary: Put some., example: 'shop.pictures.put_all(some)'}"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.chdir(tmp_path)
    shop = open_shop(tmp_path)
    shop.change(RESOURCES, MORE_RESOURCES + HANDLE)
    paths = PATHS.replace("components:\n", FETCH)
    shop.change("components:\n  securitySchemes:\n", f"{paths}  securitySchemes:\n{KEY}")
    shop.change("  schemas:\n", SCHEMAS + ROWS)
    shop.change("        picture: {$ref: '#/components/schemas/Book'}", PICTURE)
    shop.change("          filename: title\n", f"          filename: title\n          {MANY}\n")
    return shop


PICTURE = "        picture: {$ref: '#/components/schemas/Picture'}"


def test_a_handle_takes_an_id_or_a_row_and_keeps_it(shop: Shop) -> None:
    assert shop.run() == 0
    assert piece(shop, "resources.py", "PicturesHandle.__init__").splitlines() == [
        "def __init__(self, core: Calls, id: str | UUID | Picture | PicturesHandle) -> None:",
        "    self._core = core",
        "    self._row = id if isinstance(id, Picture) "
        "else id.row if isinstance(id, PicturesHandle) else None",
        "    self._id = checked_id('id', id, 'picture')",
        "    self._path = {'picture_id': self._id}",
    ]
    assert piece(shop, "async_resources.py", "AsyncPicturesResource.one").splitlines() == [
        "def one(self, id: str | UUID | Picture | AsyncPicturesHandle) -> AsyncPicturesHandle:",
        "    return AsyncPicturesHandle(self._core, id)",
    ]


def test_a_download(shop: Shop) -> None:
    shop.run()
    assert piece(shop, "endpoints.py", "FIND_PICTURE_BYTES") == (
        "FIND_PICTURE_BYTES: Final[Download[Found, Picture]] = Download(endpoint=FIND_PICTURE, "
        "url=lambda answer: needed(answer.url, '$.url'), size=lambda row: row.size, "
        "sha256=lambda row: row.hash)"
    )
    text = piece(shop, "async_resources.py", "AsyncPicturesHandle")
    rest = (
        "*, on_progress: OnProgress | None=None, max_bytes: int | None=None, "
        "options: CallOptions | None=None"
    )
    for to, kept in (
        ("to: None=None", "bytes"),
        ("to: str | os.PathLike[str]", "Path"),
        ("to: BinaryWriter | AsyncBinaryWriter", "int"),
    ):
        assert f"@overload\n    async def fetch(self, {to}, {rest}) -> {kept}:" in text
    assert (
        f"async def fetch(self, to: AsyncDownloadTo | None=None, {rest}) -> bytes | Path | int:"
        in (text)
    )
    assert text.splitlines()[-1].strip() == (
        "return await self._core.files.download(FIND_PICTURE_BYTES, self._path, self._row, to, "
        "on_progress=on_progress, max_bytes=max_bytes, options=options)"
    )


def test_fields_that_python_calls_otherwise(shop: Shop) -> None:
    shop.change("url: url, size: size, sha256: hash}", "url: from, size: size, sha256: hash}")
    shop.change(
        "required: [url], properties: {url: {type: string}}}",
        "required: [from], properties: {from: {type: string, x-sdk: {name: url}}}}",
    )
    shop.change(
        "hash: {type: [string, 'null']}", "hash: {type: [string, 'null'], x-sdk: {name: digest}}"
    )
    shop.change("      required: [url, method, headers]", "      required: [to, method, headers]")
    shop.change(
        "        url: {type: string, x-sdk: {secret",
        "        to: {type: string, x-sdk: {name: url, secret",
    )
    shop.change("        picture: {$ref:", "        picture: {x-sdk: {name: stored}, $ref:")
    assert shop.run() == 0
    assert piece(shop, "endpoints.py", "FIND_PICTURE_BYTES").endswith(
        "url=lambda answer: needed(answer.url, '$.url'), size=lambda row: row.size, "
        "sha256=lambda row: row.digest)"
    )
    upload = piece(shop, "endpoints.py", "PLACE_PICTURE_BYTES")
    assert "result=lambda answer: needed(answer.stored, '$.stored')" in upload


def test_several_uploads(shop: Shop) -> None:
    shop.run()
    assert piece(shop, "async_resources.py", "AsyncPicturesResource.put_all").splitlines() == [
        "async def put_all(self, paths: UploadPaths, *, concurrency: int=4, "
        "filenames: Sequence[str | None] | None=None, "
        "on_progress: OnProgress | None=None, options: CallOptions | None=None) "
        "-> list[Picture | Exception]:",
        "    return await self._core.files.upload_many(PLACE_PICTURE_BYTES, paths, "
        "concurrency=concurrency, filenames=filenames, on_progress=on_progress, options=options)",
    ]
    assert "async def put(self, body: AsyncUploadBody, *," in shop.text(
        "async_resources.py"
    ).replace("\n        ", " ").replace("( self", "(self")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("row: Picture}", "row: Pictur}", "no schema 'Pictur'. Did you mean 'Picture'?"),
        ("row: Picture}", "row: Place}", "'Place' has no id, or one that is no string"),
        (
            "pictures: {doc: Pictures of books.}",
            "pictures: {doc: Pictures of books., row: Picture}",
            "'pictures' is no handle, so it has no row",
        ),
        (
            ", row: Picture}",
            "}",
            "'download' needs a resource with a row, which 'pictures(picture_id)' is not",
        ),
        ("url: url,", "url: ur,", "no 'ur' in the answer. Did you mean 'url'?"),
        ("size: size,", "size: siz,", "no 'siz' in the row. Did you mean 'size'?"),
        ("size: size,", "size: hash,", "'hash' is no integer"),
        ("sha256: hash}", "sha256: size}", "'size' is no string"),
        (
            "      operationId: findPicture\n",
            "      operationId: findPicture\n      parameters: [{name: far, in: query, "
            "description: Far., schema: {type: string}}]\n",
            "'download' needs a method without parameters",
        ),
        ("method: fetch,", "method: row,", "'row': taken by the library"),
        ("method: fetch,", "method: find,", "'find': taken already"),
        ("many: {method: put_all, summ", "many: {summ", "'method' is a required property"),
    ],
)
def test_mistakes_are_reported(
    shop: Shop, capsys: pytest.CaptureFixture[str], old: str, new: str, told: str
) -> None:
    shop.change(old, new)
    assert shop.run() == 1
    assert told in capsys.readouterr().err
