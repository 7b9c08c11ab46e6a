"""How a command fails."""

from __future__ import annotations

__all__ = ["Failure"]


class Failure(Exception):  # noqa: N818  (it is not a bug)
    """The command cannot do it. The message is one line for the person who typed it."""
