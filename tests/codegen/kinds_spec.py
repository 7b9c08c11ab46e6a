"""A spec with every kind of type in every place where it may stand, from the generator's table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from codegen.kinds import KINDS

__all__ = ["CASES", "PLACES", "Case", "cases_of", "left_out_of", "schema_of", "write_spec"]

Schema = dict[str, Any]

PLACES: Final = ("path", "query", "header", "body", "push", "model")
"""Where the table says that a kind may stand; `item` is a place within the query."""
NESTED: Final = ("body", "push", "model")
"""Places of JSON, where values may be null, in lists and in maps."""
ID: Final = "0b5f9c5e-3c7e-4a37-9f0e-5d5a2f0d6c01"


@attrs.frozen(kw_only=True)
class Case:
    """A value of a kind."""

    schema: Schema
    value: str
    """What a program passes, as Python."""
    json: object
    """What is sent and received."""
    read: str = ""
    """What a program reads, as Python, if that is not what it passes."""
    name: str = ""
    """The name that makes it of the kind, where a name does."""

    @property
    def received(self) -> str:
        """What a program reads, as Python."""
        return self.read or self.value


CASES: Final[Mapping[str, Case]] = {
    "string": Case(schema={"type": "string"}, value="'a b/ü?'", json="a b/ü?"),
    # Called like the string in the path.
    "segment": Case(schema={"type": "string"}, value="'left'", json="left", name="word"),
    "integer": Case(schema={"type": "integer"}, value="-7", json=-7),
    "boolean": Case(schema={"type": "boolean"}, value="False", json=False),
    "number": Case(schema={"type": "number"}, value="2.5", json=2.5),
    "time": Case(
        schema={"type": "string", "format": "date-time"},
        value="datetime(2026, 6, 1, 9, 30, tzinfo=UTC)",
        json="2026-06-01T09:30:00Z",
    ),
    "enum": Case(
        schema={"$ref": "#/components/schemas/Colour"},
        value="'red'",
        json="red",
        read="Colour.RED",
    ),
    "id": Case(
        schema={"type": "string", "format": "uuid"},
        value=f"UUID({ID!r})",
        json=ID,
        read=repr(ID),
        name="thing_id",
    ),
    "number id": Case(
        schema={"type": "integer"}, value="make_place(id=12)", json=12, read="12", name="place_id"
    ),
    "list": Case(
        schema={"type": "array", "items": {"type": "integer"}}, value="[1, 2]", json=[1, 2]
    ),
    "map": Case(
        schema={"type": "object", "additionalProperties": {"type": "boolean"}},
        value="{'a b': True}",
        json={"a b": True},
    ),
    "model": Case(
        schema={"$ref": "#/components/schemas/Place"},
        value="{'id': 12}",
        json={"id": 12},
        read="make_place(id=12)",
    ),
    "union": Case(
        schema={"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "integer"}}]},
        value="[3]",
        json=[3],
    ),
    "object": Case(
        schema={"type": "object", "additionalProperties": True},
        value="{'a': [1, None]}",
        json={"a": [1, None]},
    ),
    "anything": Case(schema={}, value="[1, {'a': None}]", json=[1, {"a": None}]),
}


def cases_of(place: str) -> dict[str, Case]:
    """Return all that may stand in a place, by the name of its parameter or field."""
    allowed = {kind: case for kind, case in CASES.items() if place in KINDS[kind].places.split()}
    if place == "header":
        # HTTP carries no other text in a header.
        allowed["string"] = attrs.evolve(CASES["string"], value="'a b?'", json="a b?")
    found = {_name(kind, case, place): case for kind, case in allowed.items()}
    within = {"query": "item", **dict.fromkeys(NESTED, place)}.get(place, "")
    for kind, case in CASES.items():
        if within in KINDS[kind].places.split() and "list" in allowed:
            name = (case.name or f"list_of_{_slug(kind)}").removesuffix("s") + "s"
            found[name] = _list_of(case)
    for kind, case in allowed.items() if place in NESTED else ():
        found[f"map_of_{_slug(kind)}"] = _map_of(kind, case)
        found[f"no_{case.name or _slug(kind)}"] = _null(case)
    return found


def left_out_of(place: str) -> dict[str, Case]:
    """Return all that may stand in a place and is not required, as `cases_of`."""
    return {
        f"maybe_{_slug(kind)}": case
        for kind, case in CASES.items()
        if place != "path" and place in KINDS[kind].places.split()
    }


def schema_of(name: str, case: Case, place: str) -> Schema:
    """Return the schema of a parameter or a field."""
    sdk: dict[str, str] = {}
    if place == "header":
        # What a header is called says nothing of an ID.
        kind = {"thing_id": "thing", "place_id": "place"}.get(case.name)
        sdk = {"name": name, **({"id_of": kind} if kind else {})}
    return {**case.schema, **({"x-sdk": sdk} if sdk else {})}


def write_spec(folder: Path, more: Iterable[tuple[str, str, Case]] = ()) -> None:
    """Write a spec with all cases in all places.

    Args:
        folder: Where to.
        more: Further cases: the place, the name, and the case.
    """
    fields = {place: {**cases_of(place), **left_out_of(place)} for place in PLACES}
    for place, name, case in more:
        fields[place][name] = case
    folder.mkdir(parents=True)
    texts = {"openapi.yaml": _rest(fields), "asyncapi.yaml": _events(fields)}
    for file, document in texts.items():
        (folder / file).write_text(json.dumps(document), "utf-8")


def _rest(fields: Mapping[str, Mapping[str, Case]]) -> Schema:
    steps = "".join(f"/{{{name}}}" for name in fields["path"])
    whole = {"$ref": "#/components/schemas/Whole"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Echo", "version": "1.0.0"},
        "security": [{"key": []}],
        "x-sdk": {"grammar": 1, "resources": {"echo": {"doc": "What was sent."}}},
        "paths": {
            f"/path{steps}": {"get": _call("path", fields["path"])},
            "/query": {"get": _call("query", fields["query"])},
            "/header": {"get": _call("header", fields["header"])},
            "/body": {
                "post": {
                    **_call("body", {}),
                    "requestBody": _json({"$ref": "#/components/schemas/BodyRequest"}),
                    "responses": {"200": {"description": "The same.", **_json(whole)}},
                }
            },
        },
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "x-sdk": {"credential": "token"}}
            },
            "schemas": {
                "Colour": {"type": "string", "enum": ["red", "blue"]},
                "Place": _object({"id": CASES["integer"]}),
                "BodyRequest": _object(fields["body"]),
                "Whole": _object(fields["model"]),
            },
        },
    }


def _call(place: str, fields: Mapping[str, Case]) -> Schema:
    return {
        "operationId": f"echo_{place}",
        "summary": f"Send a {place}.",
        "x-sdk": {"resource": "echo", "method": place},
        "parameters": [
            {
                "name": _wire(name, place),
                "in": place,
                "required": name not in left_out_of(place),
                "description": "A value.",
                "schema": schema_of(name, case, place),
            }
            for name, case in fields.items()
        ],
        "responses": {"204": {"description": "It came."}},
    }


def _events(fields: Mapping[str, Mapping[str, Case]]) -> Schema:
    rest = "./openapi.yaml#/components/schemas"
    here = {"$ref": "#/channels/echo"}
    refs = {name: {"$ref": f"#/components/messages/{name}"} for name in ("push", "pushed")}
    carried = {name: [{"$ref": f"#/channels/echo/messages/{name}"}] for name in refs}

    def payload(place: str) -> Schema:
        schema = _object(fields[place])
        del schema["description"]
        copy: Schema = json.loads(json.dumps(schema).replace("#/components/schemas", rest))
        return copy

    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Echo", "version": "1.0.0"},
        "x-sdk": {"grammar": 1, "protocol": "phoenix-v2", "class": "RealtimeChannels"},
        "channels": {
            "echo": {
                "address": "echo:{place_id}",
                "title": "What was pushed.",
                "parameters": {"place_id": {"description": "Where."}},
                "messages": refs,
                "x-sdk": {"accessor": "echo", "class": "EchoChannel"},
            }
        },
        "operations": {
            "push": {
                "action": "send",
                "channel": here,
                "summary": "Push it.",
                "messages": carried["push"],
                "reply": {"messages": [{"$ref": "#/components/messages/reply"}]},
                "x-sdk": {"push": "echo"},
            },
            "pushed": {
                "action": "receive",
                "channel": here,
                "summary": "It was pushed.",
                "messages": carried["pushed"],
                "x-sdk": {"callback": "on_pushed"},
            },
        },
        "components": {
            "messages": {
                "push": {"name": "push", "payload": payload("push")},
                "pushed": {"name": "pushed", "payload": payload("model")},
                "reply": {"payload": {"$ref": f"{rest}/Whole"}},
            }
        },
    }


def _object(fields: Mapping[str, Case]) -> Schema:
    return {
        "type": "object",
        "description": "All of it.",
        "required": [name for name in fields if not name.startswith("maybe_")],
        "properties": {
            name: {**case.schema, "description": "A value."} for name, case in fields.items()
        },
    }


def _json(schema: Schema) -> Schema:
    return {"content": {"application/json": {"schema": schema}}}


def _slug(kind: str) -> str:
    return kind.replace(" ", "_")


def _name(kind: str, case: Case, place: str) -> str:
    # The segment of a body is called like the string of the path.
    is_word = (kind, place) == ("string", "path")
    return CASES["segment"].name if is_word else case.name or f"the_{_slug(kind)}"


def _wire(name: str, place: str) -> str:
    return f"X-{name.replace('_', '-').title()}" if place == "header" else name


def _list_of(case: Case) -> Case:
    return attrs.evolve(
        case,
        schema={"type": "array", "items": case.schema},
        value=f"[{case.value}, {case.value}]",
        json=[case.json, case.json],
        read=f"[{case.received}, {case.received}]",
    )


def _map_of(kind: str, case: Case) -> Case:
    # Keys say nothing of what an ID belongs to; and a model can be passed for its fields.
    value = case.received if kind in ("id", "number id", "model") else case.value
    return attrs.evolve(
        case,
        schema={"type": "object", "additionalProperties": case.schema},
        value=f"{{'k': {value}}}",
        json={"k": case.json},
        read=f"{{'k': {case.received}}}",
    )


def _null(case: Case) -> Case:
    null = {"oneOf": [case.schema, {"type": "null"}]}
    return attrs.evolve(case, schema=null, value="None", json=None, read="None")
