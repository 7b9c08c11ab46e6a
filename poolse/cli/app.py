"""The command `poolse`: its subcommands, and errors in the arguments."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

import click

from poolse import version
from poolse.cli.demo import demo
from poolse.cli.errors import exit_code_of, terminable
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
    """The commands, in the order in which they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's)
        """Return the names in the order of definition."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> int:
        """Run a command and return the exit code."""
        invoke = super().invoke
        with terminable():
            return exit_code_of(ctx.ensure_object(Session), lambda: invoke(ctx))


@click.group(
    cls=Commands,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Try it: `poolse sandbox` in one terminal, and what it prints in another.",
)
@click.version_option(version, message="poolse %(version)s")
def poolse() -> None:
    """Command line client for the poolse chat API.

    Settings: flags, then the config file, then the environment variables POOLSE_API_URL,
    POOLSE_TOKEN and POOLSE_API_KEY. The first one found is used.
    """


for _command in (sandbox, demo, token, send, tail, listen, upload, export):
    poolse.add_command(_command)


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code.

    Raises:
        SystemExit: The arguments are invalid (2).
    """
    _replace_unencodable()
    try:
        code: int = poolse.main(arguments, prog_name="poolse", standalone_mode=False, obj=Session())
    except click.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        print(_usage_error(error), file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    return code


def _usage_error(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    lines = [f"poolse: {error.format_message()}"]
    if context is not None:
        pieces = " ".join(context.command.collect_usage_pieces(context))
        lines.append(f"usage: {context.command_path} {pieces}")
        lines.append(f"`{context.command_path} --help` shows the options")
    return "\n".join(lines)


def _replace_unencodable() -> None:
    """Print `?` for characters that the terminal cannot encode."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
