"""`poolse whoami`: the user of the token, and where the settings come from."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from poolse.cli.options import for_users
from poolse.cli.sanitize import one_line
from poolse.cli.session import Session
from poolse.cli.token_claims import expiry_of, period

__all__ = ["whoami"]


@click.command(
    short_help="Show the user of the token.",
    epilog="Example: poolse whoami",
)
@for_users
@click.pass_obj
def whoami(session: Session) -> None:
    """Show the user of the token, the backend, and where both settings come from."""
    from poolse import POOLSE_API_URL, to_dict

    with session.chat() as chat:
        me = chat.me.show()
    settings = session.settings
    api_url = settings.api_url or POOLSE_API_URL
    source, expiry = ("", None)
    if settings.token is not None:
        source, expiry = settings.token.source, expiry_of(settings.token.read())
    if session.json:
        ends = None if expiry is None else expiry.isoformat()
        token = {"source": source, "expires_at": ends}
        session.print_json({**to_dict(me), "api_url": api_url, "token": token})
        return
    lasts = "" if expiry is None else f", {_validity(expiry)}"
    for name, value in (
        ("external ID", one_line(me.external_id)),
        ("name", one_line(me.display_name or "")),
        ("poolse ID", me.id),
        ("tenant", me.tenant_id),
        ("backend", f"{api_url} ({settings.api_url_source})"),
        ("token", f"{source}{lasts}"),
    ):
        if value:
            session.print_text(f"{name:<11}  {value}")
    if me.is_blocked:
        session.note("this user is blocked: every other request is refused")


def _validity(expiry: datetime) -> str:
    left = (expiry - datetime.now(UTC)).total_seconds()
    return f"valid for {period(left)}" if left > 0 else f"expired {period(-left)} ago"
