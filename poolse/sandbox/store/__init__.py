"""The store in SQLite, by groups of tables."""

from __future__ import annotations

from pathlib import Path

from poolse.sandbox.clock import Clock
from poolse.sandbox.file_store import FileStore
from poolse.sandbox.rules import MAX_BYTES
from poolse.sandbox.store.attachments import Attachments
from poolse.sandbox.store.conversations import Conversations
from poolse.sandbox.store.idempotency import StoredResponses
from poolse.sandbox.store.messages import Messages
from poolse.sandbox.store.users import Users

__all__ = ["Store"]


class Store(Users, Conversations, Messages, Attachments, StoredResponses):
    """One database, and the bytes of files beside it."""

    def __init__(
        self, data: Path | None, clock: Clock | None = None, max_attachment_bytes: int = MAX_BYTES
    ) -> None:
        super().__init__(data, clock)
        folder = None if data is None else data.with_name(f"{data.name}.blobs")
        self.files: FileStore = FileStore(folder)
        """The bytes of attachments, by their ids."""
        self.max_attachment_bytes = max_attachment_bytes

    def close(self) -> None:
        """Close the database, and remove bytes that are not to be kept."""
        super().close()
        self.files.close()
