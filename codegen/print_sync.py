"""Print sync modules from their async sources, so that what both do is written once.

Tokens are rewritten: `async` and `await` are dropped, names lose their `Async` or `async_`,
also in docstrings and comments, and `SYNC_NAMES` and `PROSE` have the rules for the rest. An
import of `async_x` becomes one of `x`, or of `sync_x` where that is written by hand.

A comment at the end of a line, `# sync: code`, is what the sync module has in place of the line;
without code the line is left out. `# async only` above a statement leaves out the whole statement.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tempfile
import tokenize
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Final

__all__ = [
    "PRINTED",
    "SYNC_NAMES",
    "PrintError",
    "print_all",
    "print_sync",
]

PRINTED: Final[Mapping[str, str]] = {
    "_follow/async_feed.py": "_follow/feed.py",
    "_follow/async_loop.py": "_follow/loop.py",
    "_follow/async_saved_positions.py": "_follow/saved_positions.py",
    "_follow/async_source.py": "_follow/source.py",
    "_rest/async_calls.py": "_rest/calls.py",
    "_auth/async_token_provider.py": "_auth/token_provider.py",
    "_calls/async_calls.py": "_calls/calls.py",
    "_client/async_base.py": "_client/base.py",
    "_client/async_core.py": "_client/core.py",
    "_client/async_realtime.py": "_client/realtime.py",
    "_files/async_transfers.py": "_files/transfers.py",
    "_profiles/async_users.py": "_profiles/users.py",
    "_realtime/async_public.py": "_realtime/public.py",
    "_rest/async_raw_calls.py": "_rest/raw_calls.py",
    "_state/async_conversation_state.py": "_state/conversation_state.py",
    "_state/async_inbox_state.py": "_state/inbox_state.py",
    "_state/async_live_state.py": "_state/live_state.py",
    "_state/async_state_core.py": "_state/state_core.py",
    "_state/async_state_handle.py": "_state/state_handle.py",
    "_voice/async_room.py": "_voice/room.py",
    "async_client.py": "client.py",
}
"""Sources and what is printed from them, below `poolse/`."""

HEADER: Final = '# Printed from poolse/{source} by "make generate". Do not edit.\n'

SYNC_NAMES: Final[Mapping[str, str]] = {
    "StopAsyncIteration": "StopIteration",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "aclose": "close",
    "AsyncFlight": "SyncFlight",
    "AsyncSender": "SyncSender",
    "push_async_callback": "callback",
}
"""Names that Python, or this library, gives to the async form of something."""

PROSE: Final[Mapping[str, str]] = {
    r"\bThe async client": "The sync client",
    r", for (one|an) event loop\.": ". Thread-safe.",
    r"\basync (?=with |for |def )": "",
    r"\bawait (?=[\w.]+\()": "",
}
"""What changes in docstrings and comments: patterns and their replacements."""

UNWRAPPED: Final = {"Awaitable": 0, "Coroutine": 2}
"""Generic types of which only the argument at this place is left."""

ONLY_ASYNC: Final = "# async only"
INSTEAD: Final = re.compile(r"# sync:\s?(.*)")


class PrintError(Exception):
    """A source, or the rules, cannot be printed as they are."""


def print_all(package: Path) -> dict[str, str]:
    """Print every module of the package.

    Returns:
        Their texts, by paths below the package.

    Raises:
        PrintError: A source is missing, or nothing uses one of the rules.
    """
    if not (package / "py.typed").exists():
        # Generated code can be written anywhere, to be looked at.
        return {}
    sources = {source: package / source for source in PRINTED}
    missing = [source for source, path in sources.items() if not path.exists()]
    if missing:
        raise PrintError(f"poolse/{missing[0]} is missing, from which a sync module is printed")
    by_hand = {path.stem for path in package.rglob("sync_*.py")}
    used = Counter[str]()
    drafts = {
        PRINTED[source]: HEADER.format(source=source)
        + print_sync(path.read_text("utf-8"), by_hand, used)
        for source, path in sources.items()
    }
    unused = [rule for rule in (*SYNC_NAMES, *PROSE) if rule not in used]
    if unused:
        raise PrintError(f"codegen/print_sync.py: no source uses the rule {unused[0]!r}")
    return _formatted(drafts)


def print_sync(source: str, by_hand: set[str], used: Counter[str]) -> str:
    """Print one module, not yet formatted.

    Args:
        source: The text of the async module.
        by_hand: Names of the modules that are written by hand for sync, such as `sync_driver`.
        used: Counts the uses of each rule.
    """
    source = _without_async_only(source)
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    edits = [
        (starts[row - 1] + begin, starts[end_row - 1] + end, text)
        for (row, begin), (end_row, end), text in _edits(source, by_hand, used)
    ]
    for begin, end, text in reversed(edits):
        source = source[:begin] + text + source[end:]
    return _unwrapped(_replaced_lines(source))


Position = tuple[int, int]


def _edits(
    source: str, by_hand: set[str], used: Counter[str]
) -> Iterator[tuple[Position, Position, str]]:
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    for token, following in pairwise(tokens):
        if token.type == tokenize.NAME and token.string in ("async", "await"):
            yield token.start, following.start, ""
        elif token.type == tokenize.NAME:
            name = _name(token.string, by_hand, used)
            if name != token.string:
                yield token.start, token.end, name
        elif token.type in (tokenize.STRING, tokenize.COMMENT) and not INSTEAD.match(token.string):
            text = _prose(token.string, by_hand, used)
            if text != token.string:
                yield token.start, token.end, text


def _name(name: str, by_hand: set[str], used: Counter[str]) -> str:
    if name in SYNC_NAMES:
        used[name] += 1
        return SYNC_NAMES[name]
    bare = name.lstrip("_")
    private = name[: len(name) - len(bare)]
    if re.match("Async[A-Z]", bare):
        return private + bare.removeprefix("Async")
    if bare.startswith("async_"):
        rest = bare.removeprefix("async_")
        return private + (f"sync_{rest}" if f"sync_{rest}" in by_hand else rest)
    return name


def _prose(text: str, by_hand: set[str], used: Counter[str]) -> str:
    for pattern, replacement in PROSE.items():
        text, count = re.subn(pattern, replacement, text)
        if count:
            used[pattern] += count
    return re.sub(r"\b[A-Za-z_]\w*", lambda match: _name(match[0], by_hand, used), text)


def _without_async_only(source: str) -> str:
    """The source without the statements that have the location above them."""
    lines = source.splitlines(keepends=True)
    marked = {n for n, line in enumerate(lines, start=1) if line.strip() == ONLY_ASYNC}
    if not marked:
        return source
    gone: set[int] = set(marked)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt):
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
            if first - 1 in marked:
                gone.update(range(first, (node.end_lineno or node.lineno) + 1))
    return "".join(line for n, line in enumerate(lines, start=1) if n not in gone)


def _replaced_lines(source: str) -> str:
    """Lines that say what the sync module has in their place say so no more, but are that."""
    found: list[str] = []
    for line in source.splitlines(keepends=True):
        match = INSTEAD.search(line)
        if match is None:
            found.append(line)
        elif match[1].strip():
            indent = line[: len(line) - len(line.lstrip())]
            found.append(f"{indent}{match[1].strip()}\n")
    return "".join(found)


def _unwrapped(source: str) -> str:
    """`Awaitable[T]` is `T`, and `T | AsyncT` is `T`."""
    source = re.sub(r"\b(\w+) \| \1\b", r"\1", source)
    for name, place in UNWRAPPED.items():
        while match := re.search(rf"\b{name}\[", source):
            arguments, end = _arguments(source, match.end())
            source = source[: match.start()] + arguments[place].strip() + source[end:]
    return source


def _arguments(source: str, begin: int) -> tuple[list[str], int]:
    """What stands between brackets from here on, and where they end."""
    found, depth, last = list[str](), 0, begin
    for at in range(begin, len(source)):
        if source[at] == "[":
            depth += 1
        elif source[at] == "]" and depth:
            depth -= 1
        elif source[at] == "]":
            return [*found, source[last:at]], at + 1
        elif source[at] == "," and not depth:
            found.append(source[last:at])
            last = at + 1
    raise PrintError(f"a bracket is not closed: {source[begin : begin + 40]!r}")


def _formatted(drafts: Mapping[str, str]) -> dict[str, str]:
    """Sort imports, leave out those that only the async module needs, and format."""
    ruff = Path(sys.executable).with_name("ruff")
    with tempfile.TemporaryDirectory() as folder:
        for name, text in drafts.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8", newline="\n")
        shared = ["--isolated", "--quiet", "--no-cache", "--line-length=100"]
        first_party = '--config=lint.isort.known-first-party=["poolse"]'
        check = [str(ruff), "check", *shared, "--select=I,F401", "--fix", first_party, folder]
        done = subprocess.run(check, capture_output=True, text=True, check=False)
        if done.returncode:
            raise PrintError(done.stdout or done.stderr)
        command = [str(ruff), "format", *shared, "--target-version=py311", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise PrintError(done.stdout or done.stderr)
        return {name: (Path(folder) / name).read_text("utf-8") for name in drafts}
