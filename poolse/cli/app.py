"""The command `poolse`: its subcommands, and errors in the arguments."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from typing import Any

import click

from poolse import version
from poolse.cli.command_group import CommandGroup
from poolse.cli.completion import completion
from poolse.cli.conversations import conversations
from poolse.cli.demo import demo
from poolse.cli.doctor import doctor
from poolse.cli.exit_codes import discard_output, exit_code_of, terminable
from poolse.cli.export import export
from poolse.cli.failure import INTERRUPTED, READER_GONE
from poolse.cli.listen import listen
from poolse.cli.members import members
from poolse.cli.sandbox import sandbox
from poolse.cli.send import send
from poolse.cli.session import Session
from poolse.cli.tail import tail
from poolse.cli.token import token
from poolse.cli.upload import upload
from poolse.cli.whoami import whoami
from poolse.cli.wrapping import wrapped

__all__ = ["run"]


class Commands(CommandGroup):
    """The commands. Each runs to an exit code."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:  # noqa: ANN401  (click's)
        """Parse the options of all commands. `--help` prints here."""
        try:
            return super().make_context(*args, **extra)
        except BrokenPipeError:
            discard_output()
            raise click.exceptions.Exit(READER_GONE) from None

    def invoke(self, ctx: click.Context) -> int:
        """Run a command and return the exit code."""
        invoke = super().invoke
        with terminable():
            return exit_code_of(ctx.ensure_object(Session), lambda: invoke(ctx))


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Try it: `poolse demo`, then `poolse sandbox -- bash`.",
)
@click.version_option(version, message="poolse %(version)s")
def poolse() -> None:
    """Command line client for the poolse chat API.

    Settings: flags, then the environment (POOLSE_API_URL, POOLSE_TOKEN,
    POOLSE_API_KEY), then the config file.
    """


for _command in (
    *(sandbox, demo, token, whoami, doctor, conversations, members),
    *(send, tail, listen, upload, export, completion),
):
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
        try:
            print(_usage_error(error), file=sys.stderr, flush=True)
        except BrokenPipeError:
            discard_output()
        raise SystemExit(error.exit_code) from None
    return code


def _usage_error(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    lines = [wrapped(f"poolse: {error.format_message()}", indent=8)]
    if context is not None:
        pieces = " ".join(context.command.collect_usage_pieces(context))
        lines.append(wrapped(f"usage: {context.command_path} {pieces}", indent=8))
        lines.append(f"`{context.command_path} --help` shows the options")
    return "\n".join(lines)


def _replace_unencodable() -> None:
    """Print `?` for characters that the terminal cannot encode."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
