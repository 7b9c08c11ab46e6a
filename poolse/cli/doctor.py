"""`poolse doctor`: check the way to the backend step by step."""

from __future__ import annotations

import click

from poolse.cli.failure import Failure
from poolse.cli.options import for_users
from poolse.cli.session import Session
from poolse.cli.wrapping import wrapped

__all__ = ["doctor"]


@click.command(
    short_help="Check settings, connection and token.",
    epilog="Example: poolse doctor",
)
@click.option("--api-key-file", metavar="FILE", help="File with the API key, to check it too.")
@for_users
@click.pass_obj
def doctor(session: Session, api_key_file: str | None) -> None:
    """Check settings, address, TLS, clock, token and socket, and say what to do about errors.

    It changes nothing on the server. Include its output in support requests: it has no secrets.
    """
    from poolse.cli.checks import run_checks

    if api_key_file is not None:
        session.flags["api_key_file"] = api_key_file
    failed: list[Failure] = []
    for check in run_checks(session):
        if check.failure is not None:
            failed.append(check.failure)
        if session.json:
            session.print_json(check.to_json())
            continue
        _print(f"{check.status:<6}  {check.name:<8}  {check.detail}")
        if check.hint:
            _print(f"{'':<18}> {check.hint}")
    if failed:
        count = "1 check" if len(failed) == 1 else f"{len(failed)} checks"
        raise Failure(f"{count} failed", failed[0].exit_code)


def _print(text: str) -> None:
    print(wrapped(text, indent=18), flush=True)
