"""The positions of a feed and the secret for the IDs of its replies, in the user's checkpoint."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterable
from typing import cast

from poolse._follow.checkpoints import MemoryCheckpoint
from poolse._follow.positions import Numbered, Position
from poolse._follow.reply_ids import (
    PART_KEYS,
    SECRET_BYTES,
    SECRET_KEY,
    new_secret,
    old_reply_id,
    reply_id,
)
from poolse._support.argument_checks import is_async

# sync: from poolse._support.argument_checks import not_awaitable
from poolse._support.in_thread import in_thread

__all__ = ["AsyncSavedPositions"]


class AsyncSavedPositions:
    """Without a checkpoint nothing is saved, and the secret lives as long as the feed."""

    def __init__(self, checkpoint: object | None, random_bytes: Callable[[int], bytes]) -> None:
        """Nothing is read or saved yet.

        Args:
            checkpoint: A `Checkpoint`, or an `AsyncCheckpoint`.
            random_bytes: Returns so many of them.
        """
        self.user: str = ""
        """ID of the user, once it is known. Two users of one process may share a checkpoint."""
        self._checkpoint = checkpoint
        self._random_bytes = random_bytes
        # async only
        self._calling: asyncio.Future[object] | None = None
        self._secret: Position | None = None
        self._replied_before: dict[str, int | None] = {}
        """The first message after the position that an older release saved, by conversation; None
        until it comes. It may have been replied to, with an ID of the old kind."""

    async def load(self, key: str) -> Position | None:
        """Return the position that was saved last, or None."""
        if self._checkpoint is None:
            return None
        return await self._load(f"{self.user}/{key}")

    async def save(self, key: str, position: Position) -> None:
        """Save a position."""
        if self._checkpoint is not None:
            await self._save(f"{self.user}/{key}", position)

    async def load_all(self, keys: Iterable[str]) -> dict[str, Position | None]:
        """Return the positions of several conversations, and create the secret before one is saved.

        If there are positions and no secret, an older release saved them, and what it had in hand
        is replied to as it would have done.
        """
        positions = {key: await self.load(key) for key in keys}
        if self._checkpoint is None or await self._load(SECRET_KEY) is not None:
            return positions
        for key, position in positions.items():
            if position is not None:
                self._replied_before[key] = None
        if not self._replied_before:
            await self._secrets()
        return positions

    def handed_out(self, key: str, message: Numbered) -> None:
        """Note that a message goes to the consumer, and is not late."""
        if self._replied_before.get(key, 0) is None:
            self._replied_before[key] = message.sequence

    async def reply_id(self, key: str, message: Numbered, replies: int, *, late: bool) -> str:
        """Return the ID of the next reply to a message."""
        if not late and self._replied_before.get(key) == message.sequence:
            return old_reply_id(self.user, message, replies)
        return reply_id(await self._secrets(), self.user, key, message, replies)

    async def _secrets(self) -> list[Position]:
        if self._checkpoint is None:
            self._secret = self._secret or self._new_secret()
            return [self._secret]
        # It is not kept here: if two processes make one at the same time, the later one holds.
        secrets = [await self._load_or_save(SECRET_KEY)]
        if not secrets[0].id:
            # A checkpoint that keeps numbers only: one of them is not enough.
            secrets += [await self._load_or_save(key) for key in PART_KEYS]
        return secrets

    async def _load_or_save(self, key: str) -> Position:
        """Return the secret under a key; if there is none, save a new one first."""
        secret = self._new_secret()
        if hasattr(self._checkpoint, "load_or_save"):
            return cast(Position, await self._call("load_or_save", key, secret))
        position = await self._load(key)
        if position is not None:
            return position
        await self._save(key, secret)
        # What it really keeps: another process may have saved one too, and some keep no IDs.
        return await self._load(key) or secret

    async def _load(self, key: str) -> Position | None:
        return cast("Position | None", await self._call("load", key))

    async def _save(self, key: str, position: Position) -> None:
        await self._call("save", key, position)

    async def _call(self, method: str, *arguments: object) -> object:
        function = getattr(self._checkpoint, method)
        # sync: return not_awaitable(method, function(*arguments))
        # async only
        return await self._call_in_turn(function, arguments)

    # async only
    async def _call_in_turn(
        self, function: Callable[..., object], arguments: tuple[object, ...]
    ) -> object:
        """Call it without stopping the loop, and never while it is called already."""
        if self._calling is not None:
            # What was cancelled is still being written, and must not be written last.
            await asyncio.wait([self._calling])
        if isinstance(self._checkpoint, MemoryCheckpoint):
            return function(*arguments)
        self._calling = asyncio.ensure_future(_called(function, arguments))
        return await asyncio.shield(self._calling)

    def _new_secret(self) -> Position:
        return new_secret(self._random_bytes(SECRET_BYTES))


# async only
async def _called(function: Callable[..., object], arguments: tuple[object, ...]) -> object:
    if is_async(function):
        result = function(*arguments)
    else:
        result = await in_thread(lambda: function(*arguments))
    return await result if inspect.isawaitable(result) else result
