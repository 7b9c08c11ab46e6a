"""Temporary folders that a forked child does not remove."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from pathlib import Path

__all__ = ["TemporaryFolder"]


class TemporaryFolder:
    """A new folder, removed by `remove` or at the latest when the process that created it ends.

    A forked child inherits the object and runs the same finalizers at its own end, while the
    parent still uses the folder. `tempfile.TemporaryDirectory` would remove it then.
    """

    def __init__(self, prefix: str) -> None:
        """Create the folder."""
        self.path: Path = Path(tempfile.mkdtemp(prefix=prefix))
        self._finalizer = weakref.finalize(self, _remove, self.path, os.getpid())

    def remove(self) -> None:
        """Remove the folder and what is in it. In a forked child this does nothing."""
        self._finalizer()


def _remove(path: Path, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(path, ignore_errors=True)
