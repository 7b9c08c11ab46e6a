"""`poolse token`: print a token of a user, and nothing else, for use in shells."""

from __future__ import annotations

import click

from poolse.cli.ids import external_id_argument
from poolse.cli.options import for_backends
from poolse.cli.session import Session

__all__ = ["token"]


@click.command(
    short_help="Issue a token for one of your users.",
    epilog="Example: export POOLSE_TOKEN=$(poolse token alice)",
)
@external_id_argument("external_id")
@for_backends
@click.pass_obj
def token(session: Session, external_id: str) -> None:
    """Issue a token for one of your users and print it.

    EXTERNAL_ID is your own ID for the user, who is created if missing. Requires the API key of your
    tenant: POOLSE_API_KEY, --api-key-file, or api_key in the config file.
    """
    with session.backend() as backend:
        issued = backend.token_provider(external_id)()
    if session.json:
        session.print_json({"external_id": external_id, "token": issued})
    else:
        session.print_text(issued)
