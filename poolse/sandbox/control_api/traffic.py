"""What passed between clients and the API: requests, handshakes and frames. Only used on the loop.

Entries keep raw parts; `traffic_views` renders them when somebody looks.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

__all__ = ["KEPT_BYTES", "Entry", "Kind", "Part", "RawHeaders", "Traffic"]

Kind = Literal["request", "handshake", "received", "sent"]
RawHeaders = Sequence[tuple[bytes, bytes]]

KEPT_BYTES: Final = 16_384
"""Bytes of a body or of a frame that are kept."""

_ENTRIES: Final = 5_000
_TOTAL_BYTES: Final = 32_000_000
_OVERHEAD: Final = 1_000
"""Bytes that an entry takes beside its parts, roughly."""
_HEADER: Final = 130
"""Bytes that a header takes beside its characters, roughly."""


class Part:
    """The start of a body or of a frame, and how long it was."""

    __slots__ = ("_pieces", "is_text", "kept", "size")

    def __init__(self, data: bytes | str = b"") -> None:
        self.is_text: bool = isinstance(data, str)
        """Whether it is a text frame; bodies are bytes in any case."""
        self.size: int = 0
        self.kept: int = 0
        self._pieces: list[bytes] = []
        if data:
            self.add(data.encode() if isinstance(data, str) else data)

    def add(self, piece: bytes) -> None:
        """Add what comes next."""
        self.size += len(piece)
        start = piece[: KEPT_BYTES - self.kept]
        if start:
            self.kept += len(start)
            self._pieces.append(start)

    @property
    def truncated(self) -> bool:
        """Whether only the start was kept."""
        return self.kept < self.size

    @property
    def data(self) -> bytes:
        """What was kept."""
        return b"".join(self._pieces)


_NOTHING: Final = Part()
"""Of entries that have no such part."""


@dataclass(eq=False, slots=True)
class Entry:
    """A request, a handshake, or a frame."""

    kind: Kind
    id: int = 0
    at: float = field(default_factory=time.time)
    """Unix time, by the clock of the machine."""
    method: str = "GET"
    path: bytes = b""
    """With the query, as sent."""
    http_version: str = "1.1"
    scheme: str = "http"
    status: int | None = None
    seconds: float | None = None
    cut: bool = False
    """Whether the connection ended before the response was complete."""
    request_headers: RawHeaders = ()
    request_body: Part = _NOTHING
    response_headers: RawHeaders = ()
    response_body: Part = _NOTHING
    socket: int | None = None
    """Number of the socket of a handshake or a frame."""
    handshake: Entry | None = None
    """The handshake of a frame."""
    frame: Part = _NOTHING
    topic: str | None = None
    event: str | None = None
    """Of a frame that is too long to be kept; others are parsed when somebody looks."""
    changed: int = 0
    """ID of the newest entry when this one was written last."""

    def weight(self) -> int:
        """Return roughly how many bytes of memory it takes."""
        parts = self.request_body.kept + self.response_body.kept + self.frame.kept
        headers = sum(
            _HEADER + len(name) + len(value)
            for name, value in (*self.request_headers, *self.response_headers)
        )
        return _OVERHEAD + len(self.path) + headers + parts


class Traffic:
    """The newest entries: so many, and so many bytes, at most.

    IDs continue when the entries are forgotten, so that readers never see one twice.
    """

    def __init__(self, entries: int = _ENTRIES, total_bytes: int = _TOTAL_BYTES) -> None:
        self._most = entries
        self._most_bytes = total_bytes
        self._entries: OrderedDict[int, tuple[Entry, int]] = OrderedDict()
        """With the weight that each is counted with."""
        self._bytes = 0
        self.newest: int = 0
        """ID of the newest entry, 0 before the first."""
        self.readers: set[Callable[[Entry], None]] = set()
        """Called with each entry that is new, or was written again."""

    def add(self, entry: Entry) -> None:
        """Add an entry, which gets its ID."""
        self.newest += 1
        entry.id = self.newest
        self._keep(entry)

    def update(self, entry: Entry) -> None:
        """Note that an entry was written again."""
        kept = self._entries.get(entry.id)
        if kept is not None and kept[0] is entry:
            self._bytes -= kept[1]
            self._keep(entry)

    def entries(self) -> list[Entry]:
        """Return all entries, the oldest first."""
        return [entry for entry, _ in self._entries.values()]

    def get(self, entry_id: int) -> Entry | None:
        """Return the entry with an ID."""
        kept = self._entries.get(entry_id)
        return None if kept is None else kept[0]

    def clear(self) -> None:
        """Forget all entries."""
        self._entries.clear()
        self._bytes = 0

    def _keep(self, entry: Entry) -> None:
        entry.changed = self.newest
        weight = entry.weight()
        self._entries[entry.id] = entry, weight
        self._bytes += weight
        while len(self._entries) > self._most or self._bytes > self._most_bytes:
            _, (_, freed) = self._entries.popitem(last=False)
            self._bytes -= freed
        for reader in list(self.readers):
            reader(entry)
