"""Printing with colors, by rich."""

from __future__ import annotations

from rich import console

from poolse.cli.sanitize import ascii_only

__all__ = ["Console"]


class Console(console.Console):
    """A console that leaves a closed pipe to the command, as all other output does."""

    @property
    def encoding(self) -> str:
        """The encoding of what rich draws, such as bars."""
        return "ascii" if ascii_only() else super().encoding

    def on_broken_pipe(self) -> None:
        """Raise the BrokenPipeError; rich would end the process with the exit code 1."""
        raise  # noqa: PLE0704  (called while it is handled)
