"""Run the Python of a page: each block with names of its own, and what the page says is given.

`python -m tests.docs.run_blocks README.md`, with a backend and alice's token in the environment.
A mistake is shown with the line of the page.
"""

from __future__ import annotations

import builtins
import linecache
import sys
import types
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from poolse import Poolse, PoolseBackend
from tests.architecture.tree import ROOT
from tests.docs.code_blocks import Block, blocks_of


class Given:
    """What blocks take for granted, made when the first one asks for it."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._made: dict[str, object] = {}

    def of(self, name: str) -> object:
        """The thing with that name."""
        if name not in self._made:
            self._made[name] = GIVEN[name](self)
        return self._made[name]

    def chat(self) -> Poolse:
        """Alice's client."""
        return self._stack.enter_context(Poolse())

    def backend(self) -> PoolseBackend:
        """A client for one's own server."""
        return self._stack.enter_context(PoolseBackend())


def conversation(given: Given) -> object:
    chat = given.chat()
    return chat.conversations.one(chat.conversations.create(type="group", name="Given").id)


def message(given: Given) -> object:
    chat = given.chat()
    made = chat.conversations.create(type="group", name="Given")
    return chat.conversations.one(made.id).messages.send(body="given")


GIVEN: Final[dict[str, Callable[[Given], object]]] = {
    "backend": Given.backend,
    "chat": Given.chat,
    "conversation": conversation,
    "message": message,
    "my_server": lambda _given: types.SimpleNamespace(chat_token=str),
}


def run(blocks: list[Block], given: Given) -> None:
    """Run them in order."""
    names: dict[str, object] = {}
    for block in blocks:
        if block.note != "continues":
            names = {"__name__": "__main__", "__builtins__": builtins}
        # As many lines above as on the page, so that a traceback shows its lines.
        source = "\n" * (block.line - 1) + block.code
        linecache.cache[block.page] = (len(source), None, source.splitlines(keepends=True), "")
        code = compile(source, block.page, "exec", dont_inherit=True)
        for name in GIVEN.keys() & set(names_in(code)) - names.keys():
            names[name] = given.of(name)
        exec(code, names)


def names_in(code: types.CodeType) -> list[str]:
    """Every name that is looked up, in functions too."""
    inner = [one for one in code.co_consts if isinstance(one, types.CodeType)]
    return [*code.co_names, *(name for one in inner for name in names_in(one))]


def main(page: str) -> None:
    """Run what is to be run with the page."""
    blocks = [block for block in blocks_of(page, ROOT) if block.language == "python"]
    with ExitStack() as stack:
        run([block for block in blocks if block.is_ours and not block.name], Given(stack))


if __name__ == "__main__":
    main(sys.argv[1])
