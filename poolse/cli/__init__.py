"""The `poolse` command. Each subcommand has a file of its own in this folder."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import cast

from poolse.cli import demo, sandbox
from poolse.cli.failure import Failure

__all__ = ["main"]

_COMMANDS = {"demo": demo, "sandbox": sandbox}
"""Each has ABOUT, a line for the help; `configure`, which adds its arguments; and `run`."""

Run = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and give back the exit status.

    Args:
        argv: Arguments after the command's name; None takes those of the process.

    Raises:
        SystemExit: The arguments make no sense (2), or were `--help` (0).
    """
    parser = argparse.ArgumentParser(prog="poolse", description="Tools for the poolse backend.")
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, command in _COMMANDS.items():
        about = command.ABOUT
        subparser = commands.add_parser(name, help=about, description=about)
        command.configure(subparser)
        subparser.set_defaults(run=command.run)
    arguments = parser.parse_args(argv)
    try:
        return cast(Run, arguments.run)(arguments)
    except Failure as failure:
        print(f"poolse: {failure}", file=sys.stderr)
        return 1
