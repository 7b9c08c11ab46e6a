"""The commands, and what the line as a whole says."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

import click

from poolse import version
from poolse.cli.demo import demo
from poolse.cli.exit_codes import ended, terminable
from poolse.cli.export import export
from poolse.cli.failure import INTERRUPTED
from poolse.cli.listen import listen
from poolse.cli.sandbox import sandbox
from poolse.cli.send import send
from poolse.cli.session import Session
from poolse.cli.tail import tail
from poolse.cli.token import token
from poolse.cli.upload import upload

__all__ = ["run"]


class Commands(click.Group):
    """Knows how its commands end."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's)
        """In the order in which one comes to need them."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> int:
        """Run the command that was asked for, and give back the exit code."""
        work = super().invoke
        with terminable():
            return ended(ctx.ensure_object(Session), lambda: work(ctx))


@click.group(
    cls=Commands,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Try it: `poolse sandbox` in one terminal, and what it prints in another.",
)
@click.version_option(version, message="poolse %(version)s")
def poolse() -> None:
    """Tools for the poolse chat backend.

    Settings come from the environment (POOLSE_API_URL, POOLSE_TOKEN, POOLSE_API_KEY), from a config
    file and from flags; each outranks the one before.
    """


for _command in (sandbox, demo, token, send, tail, listen, upload, export):
    poolse.add_command(_command)


def run(arguments: Sequence[str]) -> int:
    """Run the command line and give back the exit code.

    Raises:
        SystemExit: The arguments make no sense (2).
    """
    _write_what_can_be_written()
    try:
        code: int = poolse.main(arguments, prog_name="poolse", standalone_mode=False, obj=Session())
    except click.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        print(_complaint(error), file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    return code


def _complaint(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    lines = [f"poolse: {error.format_message()}"]
    if context is not None:
        pieces = " ".join(context.command.collect_usage_pieces(context))
        lines.append(f"usage: {context.command_path} {pieces}")
        lines.append(f"`{context.command_path} --help` tells more")
    return "\n".join(lines)


def _write_what_can_be_written() -> None:
    """A terminal without the letters of a message shows marks in their place."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
