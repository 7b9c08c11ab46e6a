"""Users, conversations and messages to start with: `--seed`, `Sandbox.seed`, and over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from poolse.sandbox.api import conversations, messages
from poolse.sandbox.api.call import Call, Effect, Result
from poolse.sandbox.errors import ApiRefusal
from poolse.sandbox.request_arguments import NewUser
from poolse.sandbox.store import Store
from poolse.sandbox.strict_json import JsonObject

__all__ = ["SEED_SCHEMA", "SeedError", "Sower", "check_seed"]

Table = Mapping[str, Any]
Fields = Mapping[str, type]

_SEED: Final[Fields] = {"users": list, "conversations": list}
_USER: Final[Fields] = {"external_id": str, "display_name": str, "custom_data": dict}
_CONVERSATION: Final[Fields] = {"name": str, "type": str, "members": list, "messages": list}
_MESSAGE: Final[Fields] = {"from": str, "body": str}

_KINDS: Final[Mapping[type, str]] = {str: "a text", list: "a list", dict: "a table"}
_SCHEMA_TYPES: Final[Mapping[type, str]] = {str: "string", list: "array", dict: "object"}


class SeedError(ValueError):
    """A seed is invalid. Nothing of it was created."""


def _schema(fields: Fields, required: str = "", **items: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON schema of a table; `items` are those of its lists."""
    properties: dict[str, Any] = {
        name: {"type": _SCHEMA_TYPES[kind], **({"items": items[name]} if name in items else {})}
        for name, kind in fields.items()
    }
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        schema["required"] = [required]
    return {**schema, "additionalProperties": False}


SEED_SCHEMA: Final = _schema(
    _SEED,
    users=_schema(_USER, "external_id"),
    conversations=_schema(
        _CONVERSATION,
        "members",
        members={"type": "string"},
        messages=_schema(_MESSAGE, "from"),
    ),
)
"""JSON schema of a seed."""


def check_seed(seed: object) -> None:
    """Check the keys and types of a seed.

    Raises:
        SeedError: It is invalid.
    """
    table = _checked(seed, "the seed", _SEED)
    for number, user in enumerate(table.get("users", ()), start=1):
        _checked(user, f"user {number} in the seed", _USER, "external_id")
    for number, conversation in enumerate(table.get("conversations", ()), start=1):
        where = f"conversation {number} in the seed"
        members = _checked(conversation, where, _CONVERSATION, "members")["members"]
        if not members:
            raise SeedError(f"members of {where} is empty")
        if not all(isinstance(member, str) for member in members):
            raise SeedError(f"members of {where} must be texts")
        for message in conversation.get("messages", ()):
            _checked(message, f"a message of {where}", _MESSAGE, "from")


class Sower:
    """Creates what a seed has, in one tenant, as requests of its users would."""

    def __init__(self, store: Store, tenant_id: str, publish: Callable[[Effect], None]) -> None:
        self._store = store
        self._tenant_id = tenant_id
        self._publish = publish
        self._effects: list[Effect] = []

    def sow(self, seed: Table) -> dict[str, str]:
        """Create all of it or nothing, and return the IDs of the conversations by name.

        Objects that exist are kept: a user is known by the external ID, a conversation by its name
        among those of its first member.

        Raises:
            SeedError: It is invalid.
        """
        check_seed(seed)
        try:
            with self._store.transaction():
                for user in seed.get("users", ()):
                    self._user(**user)
                made = dict(self._conversations(seed.get("conversations", ())))
        except ApiRefusal as refusal:
            details = "" if refusal.details is None else f": {refusal.details}"
            raise SeedError(f"the seed was refused: {refusal.message}{details}") from None
        for effect in self._effects:
            self._publish(effect)
        return made

    def _conversations(self, wanted: Sequence[Table]) -> Iterator[tuple[str, str]]:
        for number, conversation in enumerate(wanted, start=1):
            yield conversation.get("name", f"number {number}"), self._conversation(conversation)

    def _conversation(self, wanted: Table) -> str:
        """Return the ID of a conversation, which is created if missing."""
        owner, *_ = members = [self._user(name) for name in wanted["members"]]
        for known in self._store.conversations_of(str(owner["id"])):
            if known["name"] and known["name"] == wanted.get("name"):
                return str(known["id"])
        body: JsonObject = {
            "type": wanted.get("type", "group"),
            "name": wanted.get("name"),
            "member_external_ids": [member["external_id"] for member in members[1:]],
        }
        path = "/v1/conversations"
        made = self._request(conversations.create_conversation, path, owner, body)
        made_id = str(made["id"])
        for message in wanted.get("messages", ()):
            sender = self._user(message["from"])
            path = "/v1/conversations/{conversation_id}/messages"
            text: JsonObject = {"body": message.get("body", "")}
            self._request(messages.send_message, path, sender, text, conversation_id=made_id)
        return made_id

    def _request(
        self,
        handle: Callable[[Store, Call], Result],
        path: str,
        user: JsonObject,
        body: JsonObject,
        **values: str,
    ) -> JsonObject:
        """Do what a POST request of a user does, and return its response."""
        # Imported by the first seed: the sandbox starts without it.
        from poolse.sandbox.spec import operation

        operation("POST", path, self._store.options.api.name).check_body(body)
        result = handle(self._store, Call(self._tenant_id, user, "", values, {}, body, ""))
        self._effects += result.effects
        return result.body or {}

    def _user(
        self,
        external_id: str,
        display_name: str | None = None,
        custom_data: JsonObject | None = None,
    ) -> JsonObject:
        """Return a user, who is created if missing."""
        if not external_id.strip():
            raise SeedError("the external_id of a user in the seed is blank")
        known = self._store.user_named(self._tenant_id, external_id)
        new = NewUser(external_id, display_name, custom_data or {})
        return known or self._store.add_user(self._tenant_id, new)


def _checked(value: object, where: str, fields: Fields, required: str = "") -> Table:
    if not isinstance(value, Mapping):
        raise SeedError(f"{where} must be a table")
    table = cast("Mapping[str, object]", value)
    for key, item in table.items():
        if key not in fields:
            raise SeedError(f"unknown key {key!r} in {where}: expected one of {', '.join(fields)}")
        if not isinstance(item, fields[key]):
            raise SeedError(f"{key} of {where} must be {_KINDS[fields[key]]}")
    if required and required not in table:
        raise SeedError(f"{where} has no {required}")
    return table
