"""`make cast`: what `poolse demo` prints, as the picture of the README."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

from tests.architecture.tree import ROOT

TARGET: Final = ROOT / "docs" / "demo.svg"
WIDTH: Final = 82
UNSTEADY: Final = {
    r"127\.0\.0\.1:\d+": "127.0.0.1:4000",
    r"conversation:[0-9a-f-]{36}": "conversation:54ef47e8-ba0b-4678-97bd-5a8a29c1564f",
    r"next attempt in [\d.]+ s": "next attempt in 1.8 s",
}
"""What differs from run to run, so that the picture changes only when the demo does."""


def main(target: Path) -> None:
    """Run the demo and draw its terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "poolse.cli", "demo"],
        env={**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH), "TERM": "xterm-256color"},
        capture_output=True,
        text=True,
        check=True,
    )
    printed = re.sub(r"(\s|\x1b\[[\d;]*m)+$", "", done.stdout.partition("4. ")[0])
    for pattern, steady in UNSTEADY.items():
        printed = re.sub(pattern, steady, printed)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere)
        console.print("$ poolse demo", style="bold")
        console.print(Text.from_ansi(printed))
        console.print("  …")
        drawn = console.export_svg(title="poolse demo", theme=DIMMED_MONOKAI, unique_id="demo")
    # Nothing is fetched to show it.
    drawn = re.sub(r"\s*@font-face \{.*?\}\n", "\n", drawn, flags=re.DOTALL)
    target.write_text("\n".join(line.rstrip() for line in drawn.splitlines()) + "\n", "utf-8")
    print(target.relative_to(ROOT))


if __name__ == "__main__":
    main(TARGET)
