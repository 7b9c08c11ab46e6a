"""The same work by other clients: `make bench-peers`, some minutes the first time.

Each has the page of 50 messages or the small object from the same canned server, in an environment
of its own below build/peers, so that none of them is a dependency of the project. Who cannot be
pointed at that server, or not be installed here, is named and left out.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import attrs

from tests.bench.canned import canned_server
from tests.bench.worker import Measure, worker

ROOT: Final = Path(__file__).parents[2]
HOME: Final = ROOT / "build" / "peers"
SPEC: Final = ROOT / "poolse" / "sandbox" / "openapi.json"
SCRIPTS: Final = Path(__file__).parent / "peer_scripts"
PACKAGES: Final = ("openapi-python-client", "stream-chat", "openai", "httpx", "orjson")
ROUNDS: Final = 7


@attrs.frozen
class Peer:
    """Another client, and what it is asked to do."""

    name: str
    command: tuple[str, ...]
    beside: str
    """The side of ours that does the same."""


def python() -> str:
    """The interpreter of the environment, which is made when it is not there."""
    path = HOME / "bin" / "python"
    if not path.exists():
        subprocess.run([sys.executable, "-m", "venv", HOME], check=True)
    subprocess.run([path, "-m", "pip", "install", "-qq", *PACKAGES], check=False)
    if shutil.which("npm") and not (HOME / "node_modules").exists():
        npm = ["npm", "install", "--silent", "--prefix", str(HOME), "phoenix", "ws"]
        subprocess.run(npm, check=False)
    # Node looks for what a script imports beside the script.
    shutil.copytree(SCRIPTS, HOME / "scripts", dirs_exist_ok=True)
    return str(path)


def generated(interpreter: str) -> bool:
    """Whether openapi-python-client could make a client of our spec."""
    tool = Path(interpreter).with_name("openapi-python-client")
    if not tool.exists():
        return False
    out = HOME / "generated"
    made = subprocess.run(
        [tool, "generate", "--path", SPEC, "--output-path", out, "--overwrite", "--meta", "none"],
        capture_output=True,
        text=True,
        check=False,
    )
    return made.returncode == 0


def peers(interpreter: str) -> list[Peer]:
    """All of them."""

    def script(name: str, *arguments: str) -> tuple[str, ...]:
        return (interpreter, str(HOME / "scripts" / f"{name}.py"), *arguments)

    generated(interpreter)
    page, small, events = "rest:poolse_page", "rest:poolse_show", "events:async_handler_alone"
    return [
        Peer("openapi-python-client, list_messages", script("generated", "page"), page),
        Peer("openapi-python-client, show_me", script("generated", "small"), small),
        Peer("openai, models.retrieve", script("openai_models"), small),
        Peer("stream-chat, get_app_settings", script("stream_settings"), small),
        Peer(
            "phoenix (JavaScript in Node), events",
            ("node", str(HOME / "scripts" / "phoenix.mjs")),
            events,
        ),
    ]


@contextmanager
def running(peer: Peer, base: str) -> Generator[Measure]:
    """The process of a peer, which prints seconds for each line that it reads."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*peer.command, base], stdin=pipe, stdout=pipe, stderr=pipe, text=True, bufsize=1, cwd=HOME
    ) as process:
        asks, says, errors = process.stdin, process.stdout, process.stderr
        assert asks is not None
        assert says is not None
        assert errors is not None

        def measure() -> float:
            asks.write("\n")
            said = says.readline()
            if not said:
                raise RuntimeError((errors.read().strip().splitlines() or ["it ended"])[-1])
            return float(said)

        try:
            yield measure
        finally:
            asks.close()


def compared(peer: Peer, base: str) -> str:
    """One line of the table."""
    try:
        with ExitStack() as stack:
            theirs = stack.enter_context(running(peer, base))
            theirs()
            ours = stack.enter_context(worker(f"tests.bench.{peer.beside}", base))
            ratios = [theirs() / ours().value for _ in range(ROUNDS)]
    except (RuntimeError, OSError) as error:
        return f"| {peer.name} | left out: {error} |"
    median = statistics.median(ratios)
    return f"| {peer.name} | {median:.2f} ({min(ratios):.2f} to {max(ratios):.2f}) |"


def main() -> None:
    """Print the table."""
    interpreter = python()
    print("| peer | its time, against that of ours for the same work |\n| --- | --- |", flush=True)
    with canned_server() as base:
        for peer in peers(interpreter):
            print(compared(peer, base), flush=True)


if __name__ == "__main__":
    main()
