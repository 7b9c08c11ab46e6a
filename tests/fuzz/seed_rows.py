"""What there is before the first request: users, conversations and messages to name."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from poolse.testing import Sandbox
from tests.sandbox.raw_clients import User, users_of
from tests.sandbox.upload_helpers import uploaded

CONVERSATIONS = 8
MESSAGES = 30
"""In each conversation; enough that some are left when others have been deleted."""

FILES = 40
"""As many that no message has yet, and as many that one has."""

PLACES = {
    "path.attachment_id": "attachments",
    "path.conversation_id": "conversations",
    "path.message_id": "messages",
    "path.user_id": "users",
    "path.emoji": "emojis",
    "query.before": "sequences",
    "query.after": "sequences",
    "body.attachment_ids[*]": "files",
    "body.emoji": "emojis",
    "body.external_id": "names",
    "body.external_ids[*]": "names",
    "body.member_external_ids[*]": "names",
    "body.mentions[*]": "users",
    "body.message_id": "messages",
    "body.quoted_message_id": "messages",
    "body.reply_to_id": "messages",
}
"""Places of a request, and the list that most of their values are taken from."""

NAMES = ["bob", "carol", "dave", "erin", "frank"]


@dataclass(frozen=True)
class World:
    """What a run may name."""

    token: str
    api_key: str
    places: dict[str, str]
    values: dict[str, list[str]]


def seeded(sandbox: Sandbox) -> World:
    """Make it. Its user owns some conversations and is a mere member of others."""
    values: dict[str, list[str]] = {"conversations": [], "messages": []}
    with users_of(sandbox) as new_user:
        alice, bob = new_user("alice"), new_user("bob")
        others = [sandbox.user_id(name) for name in NAMES]
        for number in range(CONVERSATIONS):
            owner, guest = (alice, "bob") if number % 4 else (bob, "alice")
            talk = owner.conversation(guest, "carol")
            values["conversations"].append(talk)
            values["messages"] += talked(talk, alice, bob)
        pending, linked = files(alice)
        token = alice.token
    values["files"] = pending
    values["attachments"] = pending[::2] + linked
    values["users"] = others
    values["names"] = NAMES
    values["emojis"] = ["👍", "👩‍👩‍👧", "a/b", ":+1:", "?", "%2F"]
    values["sequences"] = [str(number) for number in range(0, MESSAGES, 7)]
    return World(token, sandbox.api_key, PLACES, values)


def talked(talk: str, alice: User, bob: User) -> list[str]:
    """Ids of messages of both; every third one is a reply."""
    ids: list[str] = []
    for number in range(MESSAGES):
        sender = bob if number % 3 == 1 else alice
        thread = {"reply_to_id": ids[-1]} if number % 3 == 2 else {}
        ids.append(str(sender.send(talk, body=f"message {number}", **thread)["id"]))
    return ids


def files(alice: User) -> tuple[list[str], list[str]]:
    """Ids of attachments: some that no message has, some that one has."""
    with httpx.Client(trust_env=False) as wire:
        ids = [uploaded(alice, wire, b"?") for _ in range(2 * FILES)]
    pending, linked = ids[:FILES], ids[FILES:]
    talk = alice.conversation("bob")
    for first in range(0, FILES, 10):
        alice.send(talk, attachment_ids=linked[first : first + 10])
    return pending, linked
