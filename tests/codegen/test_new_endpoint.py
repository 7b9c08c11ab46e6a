"""A maintainer adds an endpoint to the spec: both clients have it, with no line written by hand."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.script_server import ScriptServer

ROOT = Path(__file__).parents[2]

RESOURCE = """
    pins:
      doc: Things that somebody wants to find again.
"""
OPERATION = """
  /v1/pins/{pin_id}/labels:
    post:
      operationId: labelPin
      summary: Put a label on a pin.
      x-sdk: {resource: pins, method: label, positional: [pin_id]}
      parameters:
        - {name: pin_id, in: path, required: true, description: The pin., schema: {type: string}}
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/PinLabelRequest'}
      responses:
        '201':
          description: The pin with its labels.
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Pin'}
        4XX: {$ref: '#/components/responses/Error'}
"""
SCHEMAS = """
    Pin:
      type: object
      required: [id, labels]
      properties:
        id: {type: string}
        labels: {type: array, items: {type: string}}
        pinned_at: {type: [string, 'null'], format: date-time}
    PinLabelRequest:
      type: object
      required: [label]
      properties:
        label: {type: string, description: The label.}
"""

PROGRAM = """
import asyncio, os, sys
import poolse
from poolse import AsyncPoolse, Pin, PinsResource, Poolse

assert poolse.__file__.startswith(os.getcwd()), poolse.__file__
where = {"api_url": sys.argv[1], "token": "t"}

with Poolse(**where) as chat:
    print(chat.pins.label("p 1", label="red"))

async def main():
    async with AsyncPoolse(**where) as chat:
        print(await chat.pins.label("p 1", label="red"))

asyncio.run(main())
"""


def insert(text: str, after: str, what: str) -> str:
    assert text.count(after) == 1, after
    return text.replace(after, after + what)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the tree whose spec has one endpoint more."""
    for name in ("spec", "codegen", "poolse"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    spec = tmp_path / "spec" / "openapi.yaml"
    text = spec.read_text()
    for after, what in (
        ("\n  resources:", RESOURCE),
        ("\npaths:", OPERATION),
        ("\n  schemas:", SCHEMAS),
    ):
        text = insert(text, after, what.rstrip())
    spec.write_text(text)
    return tmp_path


def run(copy: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_new_endpoint_works_in_both_flavours(copy: Path) -> None:
    run(copy, "-m", "codegen")
    pin = {"id": "p 1", "labels": ["red"], "pinned_at": "2026-06-01T09:30:00Z", "new": 1}
    answers = [{"status": 201, "json": pin}] * 2
    with ScriptServer(answers) as server:
        printed = run(copy, "-c", PROGRAM, server.base).splitlines()
    assert len(printed) == 2
    assert printed[0] == printed[1]
    assert printed[0].startswith("Pin(id='p 1', labels=['red'], pinned_at=datetime.datetime(2026")
    assert [(seen.method, seen.path) for seen in server.seen] == [
        ("POST", "/v1/pins/p%201/labels")
    ] * 2
    assert [json.loads(seen.body) for seen in server.seen] == [{"label": "red"}] * 2
    assert all(seen.headers["authorization"] == "Bearer t" for seen in server.seen)
    assert len({seen.headers["idempotency-key"] for seen in server.seen}) == 2


def test_only_the_spec_knows_the_new_endpoint(copy: Path) -> None:
    run(copy, "-m", "codegen")
    assert run(copy, "-m", "codegen", "--check") == ""
    hand_written = [
        path for path in (copy / "poolse").rglob("*.py") if path.parent.name != "_generated"
    ]
    assert hand_written
    assert not [path for path in hand_written if "PinsResource" in path.read_text()]
