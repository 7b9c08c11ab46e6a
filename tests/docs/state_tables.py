"""The tables of states in docs/contributing/architecture.md, from the machines themselves.

`python -m tests.docs.state_tables` writes them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeVar

from poolse._realtime import channel, socket
from tests.architecture.tree import ROOT

__all__ = ["PAGE", "filled"]

PAGE: Final = ROOT / "docs/contributing/architecture.md"
MARKED: Final = re.compile(r"(<!-- transitions of (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
S = TypeVar("S", bound=str)
N = TypeVar("N", bound=str)


def filled(text: str) -> str:
    """The page with its tables as they should be."""
    tables = {
        socket.__name__: _table(socket.TRANSITIONS),
        channel.__name__: _table(channel.TRANSITIONS),
    }
    return MARKED.sub(lambda found: f"{found[1]}\n{tables[found[2]]}\n{found[3]}", text)


def _table(machine: Mapping[S, Mapping[N, S]]) -> str:
    inputs = list(dict.fromkeys(name for to in machine.values() for name in to))
    rows = [
        ["state", *(f"`{name}`" for name in inputs)],
        ["---"] * (len(inputs) + 1),
        *(
            [f"**{state}**", *(to.get(name, "") for name in inputs)]
            for state, to in machine.items()
        ),
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text("utf-8")), "utf-8")
