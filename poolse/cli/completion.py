"""`poolse completion`: scripts that let a shell complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from poolse.cli.failure import Failure
from poolse.cli.options import reporting
from poolse.cli.session import Session

__all__ = ["completion"]

SHELLS = ("bash", "zsh", "fish")


@click.command(
    short_help="Print a completion script for bash, zsh or fish.",
    epilog='Example: eval "$(poolse completion bash)"',
)
@click.argument("shell", type=click.Choice(SHELLS))
@reporting
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a script that completes commands, options and file names in a shell.

    It also completes the IDs of your conversations and external IDs of members.

    \b
    bash: add to ~/.bashrc    eval "$(poolse completion bash)"
    zsh:  add to ~/.zshrc     eval "$(poolse completion zsh)"
    fish: run once            poolse completion fish
                              > ~/.config/fish/completions/poolse.fish
    """  # noqa: D301  (click's mark for lines that stay as they are)
    kind = get_completion_class(shell)
    if kind is None:  # pragma: no cover  (click has these three)
        raise Failure(f"click has no completion for {shell}")
    script = kind(context.find_root().command, {}, "poolse", "_POOLSE_COMPLETE").source()
    session = context.ensure_object(Session)
    if session.json:
        session.print_json({"shell": shell, "script": script})
    else:
        click.echo(script)
