"""Docstrings, in Google's style."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Final

import attrs

from codegen.ir import Field, Operation, Paging, Param, Request

__all__ = [
    "ASYNC",
    "SYNC",
    "Flavour",
    "age",
    "arguments",
    "as_docstring",
    "example",
    "field_doc",
    "joined",
    "method_doc",
    "pager_doc",
    "raises",
    "request_doc",
    "told",
]

WIDTH: Final = 96
OPTIONS: Final = ("options", "Time limits, retries and the like, of this call only.")
UNSENDABLE: Final = "An argument that cannot be sent. Nothing was sent."


@attrs.frozen(kw_only=True)
class Flavour:
    """Sync or async, as the words in which they differ."""

    prefix: str
    def_: str
    await_: str
    for_: str
    iterator: str
    upload_body: str
    download_to: str
    writer: str


SYNC: Final = Flavour(
    prefix="",
    def_="def",
    await_="",
    for_="for",
    iterator="Iterator",
    upload_body="UploadBody",
    download_to="DownloadTo",
    writer="BinaryWriter",
)
ASYNC: Final = Flavour(
    prefix="Async",
    def_="async def",
    await_="await ",
    for_="async for",
    iterator="AsyncIterator",
    upload_body="AsyncUploadBody",
    download_to="AsyncDownloadTo",
    writer="BinaryWriter | AsyncBinaryWriter",
)


def as_docstring(text: str, indent: int) -> str:
    """The text as a string literal that stands at the indentation."""
    escaped = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    lines = [line for part in escaped.split("\n") for line in _wrapped(part, WIDTH - indent)]
    if len(lines) == 1 and not escaped.endswith('"'):
        return f'"""{lines[0]}"""'
    body = "\n".join([lines[0], *(" " * indent + line if line else "" for line in lines[1:])])
    return f'"""{body}\n{" " * indent}"""'


def _wrapped(line: str, width: int) -> list[str]:
    """One line as several; those after the first keep its indentation, arguments get four more."""
    if line.lstrip().startswith((">>> ", "... ")) or not line.strip():
        return [line.rstrip()]
    indent = " " * (len(line) - len(line.lstrip()))
    hanging = indent + "    " if indent and ": " in line else indent
    return textwrap.wrap(
        line,
        width,
        subsequent_indent=hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )


def method_doc(op: Operation, flavour: Flavour) -> str:
    """What is said of a method."""
    nothing = (
        [f"    None when the answer is {' or '.join(map(str, op.none_on))}."] if op.none_on else []
    )
    returns = ["Returns:", *([f"    {op.returns}"] if op.returns else []), *nothing, ""]
    returns = returns if len(returns) > 2 else []
    shown = [f">>> {flavour.await_}{op.example}"] if op.example else []
    return joined(
        [
            op.summary,
            "",
            *([op.description, ""] if op.description else []),
            f"`{op.verb} {op.path}`",
            "",
            *age(op.old.since, op.old.deprecated),
            *arguments(told((*op.positional, *op.keyword))),
            *returns,
            *raises(op),
            *example(shown),
        ]
    )


def pager_doc(op: Operation, paging: Paging, flavour: Flavour) -> str:
    """What is said of the method that walks over all pages."""
    shown = [f">>> {flavour.for_} row in {paging.example}:", "...     print(row)"]
    return joined(
        [
            f"The same as `{op.name}`, but on from page to page until one is empty.",
            "",
            f"`{op.verb} {op.path}`, once for each page, when its first row is asked for.",
            "",
            *arguments(told((*op.positional, *op.keyword))),
            "Returns:",
            "    An iterator over the rows.",
            "",
            *raises(op),
            *example(shown if paging.example else []),
        ]
    )


def age(since: str, notice: str) -> list[str]:
    """Since when there is something, and why it is not to be used any more."""
    said = [f"New in {since}."] if since else []
    said += [f"Deprecated: {notice}."] if notice else []
    return [" ".join(said), ""] if said else []


def field_doc(field: Field) -> str:
    """What is said of a field."""
    return " ".join(filter(None, [field.doc, *age(field.old.since, field.old.deprecated)]))


def request_doc(request: Request) -> str:
    """What is said of the fields that a method takes."""
    return joined(
        [
            request.doc,
            "",
            "Attributes:",
            *(f"    {name}: {doc}" for name, doc in told(request.fields)),
        ]
    )


def told(params: Iterable[Param]) -> Iterator[tuple[str, str]]:
    """Names of parameters, and what is said of each."""
    for param in params:
        said = (param.doc, *age(param.old.since, param.old.deprecated))
        yield param.name, " ".join(filter(None, said))


def arguments(params: Iterable[tuple[str, str]]) -> list[str]:
    """What it takes, options included."""
    return ["Args:", *(f"    {name}: {doc}" for name, doc in (*params, OPTIONS)), ""]


def raises(op: Operation, wrong: str = UNSENDABLE) -> list[str]:
    """What any call raises."""
    *most, last = [f"`{code}`" for code in op.errors] or [""]
    codes = f"{', '.join(most)} or {last}" if most else last
    said = f"The server refused, with `code` {codes}." if codes else "The server refused."
    return [
        "Raises:",
        f"    ApiError: {said}",
        "    NetworkError: No answer came, even after the retries.",
        "    DecodeError: The answer is not what the API promises.",
        f"    UsageError: {wrong}",
    ]


def example(lines: list[str]) -> list[str]:
    """Lines that show it."""
    return ["", "Example:", *(f"    {line}" for line in lines)] if lines else []


def joined(lines: list[str]) -> str:
    """The lines as one text."""
    return "\n".join(lines).rstrip()
