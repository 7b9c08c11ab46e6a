"""What comes out for methods that wrap another one, for the other credential, and for requests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.codegen.source_pieces import piece
from tests.codegen.tiny_spec import Shop, open_shop

RESOURCES = "    shelves: {doc: All shelves.}\n"
MORE_RESOURCES = RESOURCES + "    pictures: {doc: Pictures of books.}\n    staff: {doc: Staff.}\n"

PATHS = """\
  /shelves/{shelf_id}/labels:
    parameters:
      - {name: shelf_id, in: path, required: true, description: The shelf., schema: {type: string}}
    post:
      operationId: addLabels
      summary: Put labels on a shelf.
      x-sdk:
        resource: shelves(shelf_id)
        method: add_labels
        positional: [labels]
        single:
          {method: add_label, summary: Label it., field: labels, param: label, items: on,
          description: What it says., returns: The label.}
      requestBody:
        content: {application/json: {schema: {$ref: '#/components/schemas/LabelsRequest'}}}
      responses:
        '201':
          description: The labels.
          content: {application/json: {schema: {$ref: '#/components/schemas/Labels'}}}
  /pictures:
    post:
      operationId: placePicture
      summary: Ask for a place.
      x-sdk:
        resource: pictures
        method: place
        upload:
          method: put
          summary: Put a picture in its place.
          target: place
          result: picture
          content_type: kind
          size: size
          filename: title
      requestBody:
        content: {application/json: {schema: {$ref: '#/components/schemas/PictureRequest'}}}
      responses:
        '201':
          description: The place.
          content: {application/json: {schema: {$ref: '#/components/schemas/Placed'}}}
  /staff:
    get:
      operationId: listStaff
      summary: Who works here.
      security: [{key: []}]
      x-sdk: {resource: staff, method: list}
      responses:
        '200':
          description: Them.
          content: {application/json: {schema: {$ref: '#/components/schemas/Labels'}}}
components:
"""
SCHEMAS = """\
  schemas:
    LabelsRequest:
      type: object
      description: Labels to put on.
      required: [labels]
      properties:
        labels: {type: array, items: {type: string}, description: The labels.}
        colour: {type: [string, 'null'], description: Their colour.}
    Labels:
      type: object
      required: [on]
      properties: {on: {type: array, items: {$ref: '#/components/schemas/Book'}}}
    PictureRequest:
      type: object
      required: [kind, size]
      properties:
        kind: {type: string, description: Its type.}
        size: {type: integer, description: Its size.}
        title: {type: string, description: Its title.}
    Placed:
      type: object
      required: [picture, place]
      properties:
        picture: {$ref: '#/components/schemas/Book'}
        place: {$ref: '#/components/schemas/Place'}
    Place:
      type: object
      required: [url, method, headers]
      properties:
        url: {type: string, x-sdk: {secret: true}}
        method: {type: string}
        headers: {type: object, additionalProperties: {type: string}}
"""
KEY = "    key: {type: http, scheme: bearer, x-sdk: {credential: api_key}}\n"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.chdir(tmp_path)
    shop = open_shop(tmp_path)
    shop.change(RESOURCES, MORE_RESOURCES)
    shop.change("components:\n  securitySchemes:\n", f"{PATHS}  securitySchemes:\n{KEY}")
    shop.change("  schemas:\n", SCHEMAS)
    return shop


def test_one_instead_of_many_is_an_endpoint_of_its_own(shop: Shop) -> None:
    assert shop.run() == 0
    assert piece(shop, "endpoints.py", "ADD_LABELS_FIRST") == (
        "ADD_LABELS_FIRST: Final[Endpoint[Book]] = Endpoint(method='POST', "
        "path='/shelves/{shelf_id}/labels', read=first_of('on', read_book), "
        "idempotency='Idempotency-Key', "
        "takes={'labels': a_list_of(a_string, 'label'), 'colour': or_none(a_string)}, "
        "needs=('labels',))"
    )
    assert piece(shop, "async_resources.py", "AsyncShelfHandle.add_label").splitlines() == [
        "async def add_label(self, label: str, *, colour: str | None | Unset=UNSET, "
        "options: CallOptions | None=None) -> Book:",
        "    return await self._core.call(ADD_LABELS_FIRST, self._path, "
        "body={'labels': [label], 'colour': colour}, options=options)",
    ]


def test_one_instead_of_many_is_reported_as_one(shop: Shop) -> None:
    assert shop.run() == 0
    _, _, doc = shop.text("resources.py").partition("def add_label(")
    assert "            label: What it says.\n" in doc
    assert "        Returns:\n            The label.\n" in doc


def test_an_upload(shop: Shop) -> None:
    shop.run()
    assert piece(shop, "endpoints.py", "PLACE_PICTURE_BYTES") == (
        "PLACE_PICTURE_BYTES: Final[Upload[Placed, Book]] = Upload(endpoint=PLACE_PICTURE, "
        "target=lambda answer: needed(answer.place, '$.place'), target_path='$.place', "
        "result=lambda answer: needed(answer.picture, '$.picture'), "
        "content_type='kind', size='size', filename='title')"
    )
    assert piece(shop, "resources.py", "PicturesResource.put").splitlines() == [
        "def put(self, body: UploadBody, *, content_type: str | Unset=UNSET, "
        "byte_size: int | Unset=UNSET, filename: str | Unset=UNSET, "
        "on_progress: OnProgress | None=None, options: CallOptions | None=None) -> Book:",
        "    return self._core.files.upload(PLACE_PICTURE_BYTES, body, content_type=content_type, "
        "byte_size=byte_size, filename=filename, on_progress=on_progress, options=options)",
    ]


def test_each_credential_has_resources_of_its_own(shop: Shop) -> None:
    shop.run()
    assert "class StaffResource:" in shop.text("backend_resources.py")
    assert "StaffResource" not in shop.text("resources.py")
    assert "def staff(self) -> AsyncStaffResource:" in piece(
        shop, "async_backend_resources.py", "AsyncBackendResources"
    )
    assert "staff" not in piece(shop, "resources.py", "Resources")


def test_what_a_method_takes_is_a_typed_dict(shop: Shop) -> None:
    shop.run()
    assert piece(shop, "requests.py", "LabelsRequest").splitlines() == [
        "class LabelsRequest(TypedDict, total=False):",
        "    labels: Required[Sequence[str]]",
        "    colour: str | None",
    ]


@pytest.mark.parametrize("name", ["openapi", "asyncapi"])
def test_a_sandbox_beside_it_gets_a_copy_of_the_spec(
    shop: Shop, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    shop.run()
    assert not (shop.folder / "sandbox").exists()
    (shop.folder / "sandbox").mkdir()
    assert shop.run("--check") == 1
    copy = shop.folder / "sandbox" / f"{name}.json"
    assert f"{copy}: missing" in capsys.readouterr().out.splitlines()
    assert shop.run() == 0
    assert json.loads(copy.read_text("utf-8"))["info"]["title"] == "Shop"
    shop.change("title: Shop", "title: Good shop", f"{name}.yaml")
    assert shop.run("--check") == 1
    assert f"{copy}: differing" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "field: labels,",
            "field: label,",
            "62:51: no 'label' in the request. Did you mean 'labels'?",
        ),
        (
            "items: on,",
            "items: off,",
            "62:80: no 'off' in the answer",
        ),
        ("field: labels,", "field: colour,", "62:51: 'colour' is not a list"),
        (
            "target: place\n",
            "target: picture\n",
            "80:11: a place to upload to needs 'headers'",
        ),
        (
            "          size: size\n",
            "          size: title\n",
            "77:9: 'upload' does not fill the required field 'size'",
        ),
        (
            "x-sdk: {resource: staff, method: list}",
            "x-sdk: {resource: pictures, method: list}",
            "92:5: calls of 'pictures' carry a 'token', this one a 'api_key'",
        ),
        (
            "{credential: api_key}",
            "{credential: api_key, errors: [ful]}",
            "103:77: no error code 'ful'. Did you mean 'full'?",
        ),
        (
            "  enums: open\n",
            "  enums: open\n  errors: [gonne]\n",
            "9:12: no error code 'gonne'. Did you mean 'gone'?",
        ),
    ],
)
def test_mistakes_are_reported(
    shop: Shop, capsys: pytest.CaptureFixture[str], old: str, new: str, told: str
) -> None:
    shop.change(old, new)
    assert shop.run() == 1
    assert f"spec/openapi.yaml:{told}" in capsys.readouterr().err.splitlines()
