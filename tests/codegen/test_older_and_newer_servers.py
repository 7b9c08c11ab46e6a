"""Clients of another age than the server: older ones meet more than they know, newer ones less.

The server is the sandbox of today; the clients are made from a spec that says less, or more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from poolse.testing import Sandbox
from tests.codegen.project_copy import ROOT, Tree, plant

Spec = dict[str, Any]

HEAD: Final = """
import asyncio, sys
# Not all of it: live state needs events that an older API lacks.
from poolse import ApiError, AsyncPoolse, MessageNew, Poolse, UnknownEvent, to_dict
import poolse

where = {"api_url": sys.argv[1], "token": sys.argv[2]}
conversation, message = sys.argv[3], sys.argv[4]

def told(error):
    return type(error).__name__, str(error.code)
"""
SYNC: Final = """
with Poolse(**where) as chat:
    with chat.realtime.conversation(conversation) as live:
        events = live.events(timeout=20)
        here = chat.conversations.one(conversation)
        sent = here.messages.send(body="Hello", type="custom")
        react(chat, sent.id)
        tell_row(sent)
        tell_row(next(iter(here.messages.list())))
        for event in events:
            if tell_event(event):
                break
    for refused in refusals(chat):
        try:
            refused()
        except ApiError as error:
            print(told(error))
"""
ASYNC: Final = """
async def main():
    async with AsyncPoolse(**where) as chat:
        async with chat.realtime.conversation(conversation) as live:
            events = live.events(timeout=20)
            here = chat.conversations.one(conversation)
            sent = await here.messages.send(body="Hello", type="custom")
            await react(chat, sent.id)
            tell_row(sent)
            tell_row((await here.messages.list())[0])
            async for event in events:
                if tell_event(event):
                    break
        for refused in refusals(chat):
            try:
                await refused()
            except ApiError as error:
                print(told(error))

asyncio.run(main())
"""
OLD: Final = """
def react(chat, id):
    path = f"/v1/messages/{id}/reactions"
    return chat.rest.request(method="POST", path=path, body={"emoji": "+"})

def tell_row(row):
    print(sorted(row.extra), row.type, row.type.is_known, poolse.missing(row))
    assert to_dict(row).keys() >= row.extra.keys()

def tell_event(event):
    match event:
        case UnknownEvent(name, payload):
            print(name, payload["emoji"])
            return True
        case MessageNew():
            tell_row(event)

def refusals(chat):
    yield lambda: chat.messages.one(message).update(body="Again")
"""
NEW: Final = """
from poolse import ReactionAdded

def react(chat, id):
    return chat.messages.one(id).add_reaction("+")

def tell_row(row):
    print(poolse.missing(row), row.priority, row.pinned_at, sorted(row.extra))
    assert "priority" not in to_dict(row)

def tell_event(event):
    match event:
        case MessageNew():
            tell_row(event)
        case ReactionAdded():
            print("reaction", event.emoji, event.weight, poolse.missing(event))
            return True

def refusals(chat):
    yield lambda: chat.pins.create(label="x")
"""


def make(folder: Path, edit: Callable[[Spec, Spec], None]) -> Tree:
    """A client for a spec that was edited."""
    tree = plant(folder)
    paths = [tree.path / "spec" / name for name in ("openapi.yaml", "asyncapi.yaml")]
    rest, events = (yaml.safe_load(path.read_text("utf-8")) for path in paths)
    edit(rest, events)
    for path, content in zip(paths, (rest, events), strict=True):
        # JSON is YAML too, and the type of safe_dump is not known in every release of its stubs.
        path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    tree.generate()
    return tree


def make_older(rest: Spec, events: Spec) -> None:
    """Take fields, a value, an event, a method and a code away."""
    schemas = rest["components"]["schemas"]
    for name in ("edited_at", "reply_count"):
        schemas["Message"]["properties"].pop(name)
    schemas["Message"]["required"].remove("edited_at")
    # It needs the number of replies.
    listed = rest["paths"]["/v1/conversations/{conversation_id}/messages"]["get"]["x-sdk"]
    listed["paginate"].pop("thread")
    schemas["MessageType"]["enum"].remove("custom")
    schemas["ErrorCode"]["enum"].remove("message_deleted")
    rest["paths"].pop("/v1/messages/{message_id}/reactions")
    schemas.pop("ReactionRequest")
    for path in rest["paths"].values():
        for verb in path.keys() - {"parameters"}:
            said = path[verb]["x-sdk"]
            said["errors"] = [code for code in said["errors"] if code != "message_deleted"]
    events["channels"]["conversation"]["messages"].pop("reactionAdded")
    events["operations"].pop("reactionAdded")
    events["components"]["messages"].pop("reactionAdded")


def make_newer(rest: Spec, events: Spec) -> None:
    """Add required fields, a value, a method with its resource, and a code."""
    schemas = rest["components"]["schemas"]
    moment = {"type": ["string", "null"], "format": "date-time", "description": "When."}
    schemas["Message"]["properties"] |= {
        "priority": {"type": "integer", "description": "How urgent."},
        "pinned_at": moment,
    }
    schemas["Message"]["required"] += ["priority", "pinned_at"]
    schemas["Message"]["examples"] = []
    schemas["MessageType"]["enum"].append("poll")
    schemas["ErrorCode"]["enum"].append("too_many_pins")
    schemas["PinRequest"] = {
        "type": "object",
        "required": ["label"],
        "properties": {"label": {"type": "string", "description": "The label."}},
    }
    rest["x-sdk"]["resources"]["pins"] = {"doc": "Pins."}
    body = {"application/json": {"schema": {"$ref": "#/components/schemas/PinRequest"}}}
    rest["paths"]["/v1/pins"] = {
        "post": {
            "operationId": "createPin",
            "summary": "Pin something.",
            "x-sdk": {"resource": "pins", "method": "create", "errors": ["too_many_pins"]},
            "requestBody": {"required": True, "content": body},
            "responses": {
                "204": {"description": "Done."},
                "4XX": {"$ref": "#/components/responses/Error"},
            },
        }
    }
    added = events["components"]["messages"]["reactionAdded"]["payload"]
    added["properties"]["weight"] = {"type": "integer", "description": "How much of it."}
    added["required"].append("weight")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def run(tree: Tree, sandbox: Sandbox, program: str) -> list[str]:
    """What the program prints, in a conversation where a message was deleted."""
    from poolse import Poolse

    token = sandbox.token("ada")
    with Poolse(api_url=sandbox.url, token=token) as chat:
        here = chat.conversations.create(type="group", name="Old and new")
        message = chat.conversations.one(here.id).messages.send(body="Gone")
        chat.messages.one(message.id).delete()
    return tree.python("-c", HEAD + program, sandbox.url, token, here.id, message.id).splitlines()


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return make(tmp_path_factory.mktemp("older") / "tree", make_older)


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return make(tmp_path_factory.mktemp("newer") / "tree", make_newer)


@pytest.mark.parametrize("flavour", [SYNC, ASYNC], ids=["sync", "async"])
def test_an_older_client_meets_more_than_it_knows(
    older: Tree, sandbox: Sandbox, flavour: str
) -> None:
    row = "['edited_at', 'reply_count'] custom False ()"
    assert run(older, sandbox, OLD + flavour) == [
        *(row, row),
        *(row, "reaction:added +"),
        str(("ApiError", "message_deleted")),
    ]


@pytest.mark.parametrize("flavour", [SYNC, ASYNC], ids=["sync", "async"])
def test_a_newer_client_meets_less_than_it_knows(
    newer: Tree, sandbox: Sandbox, flavour: str
) -> None:
    row = "('priority', 'pinned_at') None None []"
    assert run(newer, sandbox, NEW + flavour) == [
        *(row, row),
        *(row, "reaction + None ('weight',)"),
        str(("NotFoundError", "not_found")),
    ]


def test_the_two_specs_are_what_they_are_called(older: Tree, newer: Tree) -> None:
    old, now, new = (str(path / "spec") for path in (older.path, ROOT, newer.path))
    told = newer.diff(old, now)
    for line in ("`ReactionAdded`", "`MessageHandle.add_reaction()`", "`Message.edited_at`"):
        assert re.search(rf"minor: added[a-z ]*: {re.escape(line)}", told)
    assert "verdict: minor" in told
    assert "verdict: minor" in newer.diff(now, new)
