"""The rows, in SQLite, by groups of tables."""

from __future__ import annotations

from poolse.sandbox.store.answers import Answers
from poolse.sandbox.store.conversations import Conversations
from poolse.sandbox.store.members import Members
from poolse.sandbox.store.messages import Messages
from poolse.sandbox.store.reactions import Reactions
from poolse.sandbox.store.tenants import Tenants
from poolse.sandbox.store.users import Users

__all__ = ["Store"]


class Store(Tenants, Users, Conversations, Members, Messages, Reactions, Answers):
    """All rows of one database."""
