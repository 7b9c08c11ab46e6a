"""`poolse demo`: a sync script and an async service chat through a local backend."""

from __future__ import annotations

import click

from poolse.cli.failure import Failure
from poolse.cli.options import reporting
from poolse.cli.session import Session

__all__ = ["demo"]


@click.command(
    short_help="Watch two clients chat through a local backend.",
    epilog="Example: poolse demo",
)
@reporting
@click.pass_obj
def demo(session: Session) -> None:
    """Watch a sync script and an async service chat through a local backend.

    alice also sends the value of the POOLSE_DEMO_NONCE environment variable.
    """
    try:
        from poolse.cli.demo_script import Alice, DemoOutput
        from poolse.testing import Sandbox
    except ImportError as error:
        raise Failure(f"{error} (the demo needs: pip install 'poolse[sandbox,cli]')") from None
    from poolse import Poolse

    output = DemoOutput(session)
    with Sandbox() as sandbox:
        output.title("poolse demo", f"two clients and a complete backend at {sandbox.url}")
        with Poolse(api_url=sandbox.url, get_token=lambda: sandbox.token("alice")) as chat:
            Alice(chat, sandbox, output).run()
    output.end()
