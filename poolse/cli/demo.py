"""`poolse demo`: a sync script and an async service chat through a local backend."""

from __future__ import annotations

import signal
from queue import SimpleQueue
from types import FrameType

import click

from poolse.cli.exit_codes import handling
from poolse.cli.failure import Failure
from poolse.cli.options import reporting
from poolse.cli.session import Session

__all__ = ["demo"]


@click.command(
    short_help="Watch two clients chat through a local backend.",
    epilog="Example: poolse demo",
)
@click.option(
    "--keep", is_flag=True, help="Keep the backend and its page open at the end, until Ctrl-C."
)
@reporting
@click.pass_obj
def demo(session: Session, keep: bool) -> None:
    """Watch a sync script and an async service chat through a local backend."""
    try:
        from poolse.cli.demo_script import Alice, DemoOutput
        from poolse.testing import Sandbox
    except ImportError as error:
        raise Failure(f"{error} (the demo needs: pip install 'poolse[sandbox,cli]')") from None
    from poolse import Poolse

    output = DemoOutput(session)
    with Sandbox() as sandbox:
        output.title("poolse demo", "two clients and a complete backend", sandbox.url)
        with Poolse(api_url=sandbox.url, get_token=lambda: sandbox.token("alice")) as chat:
            Alice(chat, sandbox, output).run()
        output.end()
        if keep:
            output.kept(sandbox.url)
            _wait_for_interrupt()


def _wait_for_interrupt() -> None:
    """Wait for Ctrl-C or SIGTERM."""
    interrupts: SimpleQueue[int] = SimpleQueue()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        interrupts.put(number)

    with handling(on_signal, signal.SIGINT, signal.SIGTERM):
        interrupts.get()
