"""The bytes of files, each in a file of its own."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from poolse.sandbox.temporary_folder import TemporaryFolder

__all__ = ["FileStore", "PartialFile"]


class PartialFile:
    """Bytes on their way in."""

    def __init__(self, file: BinaryIO, path: Path, target: Path) -> None:
        self._file = file
        self._path = path
        self._target = target
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Of what was written so far, in hexadecimal."""
        return self._digest.hexdigest()

    def write(self, data: bytes) -> None:
        """Add bytes at the end."""
        self._file.write(data)
        self._digest.update(data)

    def keep(self) -> None:
        """Replace the file by what was written, atomically."""
        self._file.flush()
        self._path.replace(self._target)


class FileStore:
    """A folder of files, each under the ID of its attachment."""

    def __init__(self, folder: Path | None) -> None:
        """Take the folder, which is made when it is needed; None takes one that `close` removes."""
        self._folder = folder
        self._temporary: TemporaryFolder | None = None
        if folder is not None:
            # Of uploads that a sudden end has interrupted.
            for path in folder.glob("*.part"):
                path.unlink()

    def path(self, name: str) -> Path:
        """Return the path of a file, even if it does not exist."""
        if self._folder is None:
            self._temporary = TemporaryFolder("poolse-sandbox-blobs-")
            self._folder = self._temporary.path
        return self._folder / name

    @contextmanager
    def writing(self, name: str) -> Generator[PartialFile]:
        """Write a new file; it replaces the old one when it is kept."""
        target = self.path(name)
        target.parent.mkdir(exist_ok=True)
        path = target.with_name(f"{name}.{uuid.uuid4().hex}.part")
        try:
            with path.open("wb") as file:
                yield PartialFile(file, path, target)
        finally:
            path.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Remove a file, if it exists."""
        self.path(name).unlink(missing_ok=True)

    def close(self) -> None:
        """Remove the temporary folder."""
        if self._temporary is not None:
            self._temporary.remove()
