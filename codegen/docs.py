"""Docstrings, in Google's style."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Final

import attrs

from codegen.ir import Channel, Event, Operation, Paging, Push, Request, Upload

__all__ = [
    "ASYNC",
    "SYNC",
    "Flavour",
    "accessor_doc",
    "as_docstring",
    "callback_doc",
    "method_doc",
    "pager_doc",
    "push_doc",
    "request_doc",
    "upload_doc",
]

WIDTH: Final = 96
UPLOAD_FIELDS: Final = {
    "body": "The bytes, or a text, which is sent as UTF-8. A text is never a path.",
    "content_type": "Its media type. Left out: by the ending of `filename`, else the general one.",
    "byte_size": "Its size in bytes. Left out: the size of the body.",
    "filename": "Its name, for people.",
}
OPTIONS: Final = ("options", "Time limits, retries and the like, of this call only.")


@attrs.frozen(kw_only=True)
class Flavour:
    """Sync or async, as the words in which they differ."""

    prefix: str
    def_: str
    await_: str
    for_: str
    iterator: str


SYNC: Final = Flavour(prefix="", def_="def", await_="", for_="for", iterator="Iterator")
ASYNC: Final = Flavour(
    prefix="Async",
    def_="async def",
    await_="await ",
    for_="async for",
    iterator="AsyncIterator",
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
    returns = ["Returns:", f"    {op.returns}", ""] if op.returns else []
    example = [f">>> {flavour.await_}{op.example}"] if op.example else []
    return _joined(
        [
            op.summary,
            "",
            *([op.description, ""] if op.description else []),
            f"`{op.verb} {op.path}`",
            "",
            *_arguments((p.name, p.doc) for p in (*op.positional, *op.keyword)),
            *returns,
            *_raises(op),
            *_example(example),
        ]
    )


def pager_doc(op: Operation, paging: Paging, flavour: Flavour) -> str:
    """What is said of the method that walks over all pages."""
    example = [f">>> {flavour.for_} row in {paging.example}:", "...     print(row)"]
    return _joined(
        [
            f"The same as `{op.name}`, but on from page to page until one is empty.",
            "",
            f"`{op.verb} {op.path}`, once for each page, when its first row is asked for.",
            "",
            *_arguments((p.name, p.doc) for p in (*op.positional, *op.keyword)),
            "Returns:",
            "    An iterator over the rows.",
            "",
            *_raises(op),
            *_example(example if paging.example else []),
        ]
    )


def upload_doc(op: Operation, upload: Upload, flavour: Flavour) -> str:
    """What is said of the method that puts the bytes where another one says."""
    return _joined(
        [
            upload.summary,
            "",
            f"`{op.verb} {op.path}`, then the bytes go to the URL that it returns, without your"
            " credential.",
            "",
            *_arguments(UPLOAD_FIELDS.items()),
            "Returns:",
            "    The row, as it was before the bytes were there.",
            "",
            *_raises(op, "An argument that cannot be sent, or a `byte_size` that is not its size"),
            "    UploadError: The storage refused the bytes; `status` is its answer.",
            *_example([f">>> {flavour.await_}{upload.example}"] if upload.example else []),
        ]
    )


def request_doc(request: Request) -> str:
    """What is said of the fields that a method takes."""
    return _joined(
        [request.doc, "", "Attributes:", *(f"    {p.name}: {p.doc}" for p in request.fields)]
    )


def _arguments(params: Iterable[tuple[str, str]]) -> list[str]:
    return ["Args:", *(f"    {name}: {doc}" for name, doc in (*params, OPTIONS)), ""]


def _raises(op: Operation, wrong: str = "An argument that cannot be sent") -> list[str]:
    *most, last = [f"`{code}`" for code in op.errors] or [""]
    codes = f"{', '.join(most)} or {last}" if most else last
    said = f"The server refused, with `code` {codes}." if codes else "The server refused."
    return [
        "Raises:",
        f"    ApiError: {said}",
        "    NetworkError: No answer came, even after the retries.",
        "    DecodeError: The answer is not what the API promises.",
        f"    UsageError: {wrong}. Nothing was sent.",
    ]


def _example(lines: list[str]) -> list[str]:
    return ["", "Example:", *(f"    {line}" for line in lines)] if lines else []


def callback_doc(event: Event) -> str:
    """What is said of the method that takes a handler."""
    return _joined(
        [
            event.doc,
            "",
            f"Event `{event.wire}`."
            + (" A handler that comes late is given the last one at once." if event.replay else ""),
            "",
            "Args:",
            "    handler: Called with each one, in order.",
            "",
            "Returns:",
            "    A function that takes the handler away again.",
        ]
    )


def push_doc(push: Push) -> str:
    """What is said of a push."""
    params = [f"    {p.name}: {p.doc}" for p in push.params]
    return _joined(
        [push.summary, "", f"Pushes `{push.wire}`.", *(["", "Args:", *params] if params else [])]
    )


def accessor_doc(channel: Channel) -> str:
    """What is said of the method that gives a channel."""
    return _joined([channel.doc, "", "Args:", f"    {channel.param}: {channel.param_doc}"])


def _joined(lines: list[str]) -> str:
    return "\n".join(lines).rstrip()
