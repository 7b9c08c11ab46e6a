"""The `poolse` command. Each subcommand has a file of its own in this folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    Args:
        argv: Arguments after the command's name; None takes those of the process.

    Raises:
        SystemExit: The arguments are invalid (2).
    """
    try:
        from poolse.cli.app import run
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        print("poolse: the command needs click: pip install 'poolse[cli]'", file=sys.stderr)
        return 1
    return run(sys.argv[1:] if argv is None else list(argv))
