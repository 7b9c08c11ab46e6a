"""What is closed at the end of its `with` block."""

from __future__ import annotations

from typing import Self

__all__ = ["Closing"]


class Closing:
    """As a context manager it returns itself, and is closed at the end."""

    def close(self) -> None:
        """Close it."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
