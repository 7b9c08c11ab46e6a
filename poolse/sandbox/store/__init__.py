"""The store in SQLite, by groups of tables."""

from __future__ import annotations

from pathlib import Path

from poolse.sandbox.clock import Clock
from poolse.sandbox.file_store import FileStore
from poolse.sandbox.options import Options
from poolse.sandbox.store.attachments import Attachments
from poolse.sandbox.store.calls import Calls
from poolse.sandbox.store.conversations import Conversations
from poolse.sandbox.store.devices import Devices
from poolse.sandbox.store.idempotency import StoredResponses
from poolse.sandbox.store.messages import Messages
from poolse.sandbox.store.users import Users
from poolse.sandbox.store.voice_rooms import VoiceRooms

__all__ = ["Store"]


class Store(Users, Conversations, Messages, Attachments, Devices, StoredResponses):
    """One database, and the bytes of files beside it."""

    def __init__(
        self, data: Path | None, clock: Clock | None = None, options: Options | None = None
    ) -> None:
        super().__init__(data, clock, options)
        folder = None if data is None else data.with_name(f"{data.name}.blobs")
        self.files: FileStore = FileStore(folder)
        """The bytes of attachments, by their ids."""
        self.calls: Calls = Calls()
        self.voice_rooms: VoiceRooms = VoiceRooms()

    def close(self) -> None:
        """Close the database, and remove bytes that are not to be kept."""
        super().close()
        self.files.close()
