"""What the backend has, against what was acknowledged and what was handed out."""

from __future__ import annotations

from collections import Counter

import attrs

from poolse import Message
from tests.chaos.world import Followed, World

__all__ = ["Audit", "audit"]

Logs = dict[str, list[Message]]


@attrs.define
class Audit:
    """What became of the messages."""

    acknowledged: int = 0
    stored: int = 0
    handed_out: int = 0
    lost: list[str] = attrs.field(factory=list[str])
    doubled: list[str] = attrs.field(factory=list[str])
    wrong: list[str] = attrs.field(factory=list[str])


def audit(world: World) -> Audit:
    """Compare everything, by a client that meets no faults."""
    found = Audit()
    with world.direct("alice") as chat:
        logs: Logs = {
            id: list(chat.conversations.one(id).messages.iter())[::-1] for id in world.conversations
        }
    found.stored = sum(map(len, logs.values()))
    _sends(world, logs, found)
    _answers(world, logs[world.conversations[0]], found)
    for log in world.followed:
        _followed(world, log, logs, found)
    return found


def _sends(world: World, logs: Logs, found: Audit) -> None:
    """Every acknowledged send is there once, under the id that was acknowledged."""
    rows = {id: Counter(row.body for row in log) for id, log in logs.items()}
    ids = {row.id: row.body for log in logs.values() for row in log}
    for sent in world.sent:
        times = rows[sent.conversation][sent.body]
        found.acknowledged += sent.id is not None
        if sent.id is not None and ids.get(sent.id) != sent.body:
            found.lost.append(f"{sent.body!r} was acknowledged as {sent.id}, and is not there")
        if times > 1:
            found.doubled.append(f"{sent.body!r} is there {times} times")


def _answers(world: World, log: list[Message], found: Audit) -> None:
    """Every message of the first conversation has one answer, and nothing else is there."""
    bodies = Counter(row.body or "" for row in log)
    sent = {sent.body for sent in world.sent}
    for body in sent & bodies.keys():
        answers = bodies[f"answer to {body}"]
        if answers != 1:
            (found.lost if answers < 1 else found.doubled).append(f"{body!r} has {answers} answers")
    strange = [body for body in bodies if body.removeprefix("answer to ") not in sent]
    found.wrong += [f"nobody sent {body!r}" for body in strange]


def _followed(world: World, log: Followed, logs: Logs, found: Audit) -> None:
    """A follower was handed out every message once and in order."""
    me = world.sandbox.user_id(log.name) if log.skips_own else ""
    for id in log.conversations:
        wanted = [(row.sequence, row.id) for row in logs[id] if row.sender_id != me]
        got = log.got.get(id, [])
        found.handed_out += len(got)
        counted = Counter(got)
        found.lost += [f"{log.name} missed {row}" for row in wanted if row not in counted]
        found.doubled += [f"{log.name} got {row} again" for row in counted if counted[row] > 1]
        if got != wanted and counted == Counter(wanted):
            found.wrong.append(f"{log.name} got everything, but not in order")
