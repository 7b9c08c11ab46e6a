"""Docstrings of generated code, wrapped to the line."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import attrs

from codegen.ir import (
    Channel,
    Download,
    Event,
    Field,
    Follow,
    Many,
    Operation,
    Paging,
    Param,
    Push,
    Request,
    Upload,
)

__all__ = [
    "ASYNC",
    "SYNC",
    "Syntax",
    "accessor_doc",
    "as_docstring",
    "callback_doc",
    "download_doc",
    "feed_doc",
    "field_doc",
    "follow_doc",
    "method_doc",
    "pager_doc",
    "push_doc",
    "reply_doc",
    "request_doc",
    "upload_doc",
    "upload_many_doc",
]

WIDTH: Final = 96
OPTIONS: Final = ("options", "Time limits, retries and the like, of this call only.")
UNSENDABLE: Final = "An argument that cannot be sent. Nothing was sent."


@attrs.frozen(kw_only=True)
class Syntax:
    """The words in which sync and async code differ."""

    prefix: str
    def_: str
    await_: str
    for_: str
    iterator: str
    upload_body: str
    download_to: str
    writer: str


SYNC: Final = Syntax(
    prefix="",
    def_="def",
    await_="",
    for_="for",
    iterator="Iterator",
    upload_body="UploadBody",
    download_to="DownloadTo",
    writer="BinaryWriter",
)
ASYNC: Final = Syntax(
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
    """Return a text as a docstring at an indentation."""
    escaped = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    lines = [line for part in escaped.split("\n") for line in _wrapped(part, WIDTH - indent)]
    if len(lines) == 1 and not escaped.endswith('"'):
        return f'"""{lines[0]}"""'
    body = "\n".join([lines[0], *(" " * indent + line if line else "" for line in lines[1:])])
    return f'"""{body}\n{" " * indent}"""'


def _wrapped(line: str, width: int) -> list[str]:
    """Wrap a line; the following ones keep its indentation, those of arguments get four more."""
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


def method_doc(op: Operation, syntax: Syntax) -> str:
    """Return the docstring of a method."""
    nothing = (
        [f"    None when the answer is {' or '.join(map(str, op.none_on))}."] if op.none_on else []
    )
    returns = ["Returns:", *([f"    {op.returns}"] if op.returns else []), *nothing, ""]
    returns = returns if len(returns) > 2 else []
    shown = [f">>> {syntax.await_}{op.example}"] if op.example else []
    return joined(
        [
            op.summary,
            "",
            *([op.description, ""] if op.description else []),
            f"`{op.verb} {op.path}`",
            "",
            *age(op.deprecation.since, op.deprecation.deprecated),
            *arguments(told((*op.positional, *op.keyword))),
            *returns,
            *raises(op),
            *example(shown),
        ]
    )


def pager_doc(op: Operation, paging: Paging, syntax: Syntax) -> str:
    """Return the docstring of a method that iterates over all pages."""
    shown = [f">>> {syntax.for_} row in {paging.example}:", "...     print(row)"]
    return joined(
        [
            f"The same as `{op.name}`, but on from page to page until one is empty.",
            "",
            f"`{op.verb} {op.path}`, once for each page, when its first row is asked for.",
            "",
            *arguments(told((*op.positional, *op.keyword))),
            "Returns:",
            "    An iterator over the models.",
            "",
            *raises(op),
            *example(shown if paging.example else []),
        ]
    )


def age(since: str, notice: str) -> list[str]:
    """Return the paragraph on the release that added something and on its deprecation."""
    texts = [f"New in {since}."] if since else []
    texts += [f"Deprecated: {notice}."] if notice else []
    return [" ".join(texts), ""] if texts else []


def field_doc(field: Field) -> str:
    """Return the docstring of a field."""
    return " ".join(
        filter(
            None,
            [
                field.doc,
                *_in_words(dict(field.limits)),
                *age(field.deprecation.since, field.deprecation.deprecated),
            ],
        )
    )


def request_doc(request: Request) -> str:
    """Return the docstring of a request."""
    return joined(
        [
            request.doc,
            "",
            "Attributes:",
            *(f"    {name}: {doc}" for name, doc in told(request.fields)),
        ]
    )


def told(params: Iterable[Param]) -> Iterator[tuple[str, str]]:
    """Yield names and descriptions of parameters."""
    for param in params:
        texts = (
            param.doc,
            *_in_words(dict(param.limits)),
            *age(param.deprecation.since, param.deprecation.deprecated),
        )
        yield param.name, " ".join(filter(None, texts))


def _in_words(limits: Mapping[str, object]) -> Iterator[str]:
    low, high = limits.get("minimum"), limits.get("maximum")
    if low is not None:
        yield f"{low} to {high}." if high is not None else f"At least {low}."
    elif high is not None:
        yield f"At most {high}."
    for least, most, what in (
        ("minItems", "maxItems", ""),
        ("minLength", "maxLength", " characters"),
    ):
        if most in limits:
            start = f"{limits[least]} to" if least in limits else "At most"
            yield f"{start} {limits[most]}{what}."
        elif limits.get(least) == 1:
            yield "Not empty."
        elif least in limits:
            yield f"At least {limits[least]}{what}."
    if "default" in limits:
        yield f"The server's default is `{limits['default']}`."


def arguments(params: Iterable[tuple[str, str]]) -> list[str]:
    """Return the `Args:` section, options included."""
    return ["Args:", *(f"    {name}: {doc}" for name, doc in (*params, OPTIONS)), ""]


def raises(op: Operation, wrong: str = UNSENDABLE) -> list[str]:
    """Return the `Raises:` section of a call."""
    *most, last = [f"`{code}`" for code in op.errors] or [""]
    codes = f"{', '.join(most)} or {last}" if most else last
    refusal = f"The server refused, with `code` {codes}." if codes else "The server refused."
    return [
        "Raises:",
        f"    ApiError: {refusal}",
        "    NetworkError: No answer came, even after the retries.",
        "    DecodeError: The answer is not what the API promises.",
        f"    UsageError: {wrong}",
    ]


def example(lines: list[str]) -> list[str]:
    """Return the `Example:` section."""
    return ["", "Example:", *(f"    {line}" for line in lines)] if lines else []


def joined(lines: list[str]) -> str:
    """Join the lines of a docstring."""
    return "\n".join(lines).rstrip()


TIMEOUT: Final = "Seconds for everything together; None waits as long as it takes."
REFUSED: Final = (
    "Raises:",
    "    PushError: The server answered with an error.",
    "    PushTimeout: No reply came in time.",
    "    PushOutcomeUnknown: The connection or the channel was lost before the reply came.",
    "    ChannelClosed: The channel was left, or realtime disconnected, meanwhile.",
)
UNREADABLE: Final = ("    DecodeError: The reply is not what the API promises.",)


def callback_doc(event: Event, notice: str = "") -> str:
    """Return the docstring of a method that adds a handler."""
    return joined(
        [
            event.doc,
            "",
            f"Event `{event.wire}`."
            + (" A handler that comes late is given the last one at once." if event.replay else ""),
            "",
            *age(event.deprecation.since, notice),
            "Args:",
            "    handler: Called with each one, in order.",
            "",
            "Returns:",
            "    A function that takes the handler away again.",
        ]
    )


def push_doc(push: Push, notice: str = "") -> str:
    """Return the docstring of a push."""
    params = [f"    {name}: {doc}" for name, doc in told(push.params)]
    params += [f"    timeout: {TIMEOUT}"] if push.is_answered else []
    fate = "" if push.is_answered else " Dropped while the channel is not joined."
    return joined(
        [
            push.summary,
            "",
            f"Pushes `{push.wire}`.{fate}",
            "",
            *age(push.deprecation.since, notice),
            *(["Args:", *params, ""] if params else []),
            *(["Returns:", f"    {push.returns or 'The reply.'}", ""] if push.result else []),
            *(REFUSED if push.is_answered else ()),
            *(UNREADABLE if push.result else ()),
        ]
    )


def accessor_doc(channel: Channel, notice: str = "") -> str:
    """Return the docstring of a method that returns a channel."""
    return joined(
        [
            channel.doc,
            "",
            *age("", notice),
            "Args:",
            f"    {channel.param}: {channel.param_doc}",
        ]
    )


PROGRESS: Final = (
    "Called with the bytes that are through and the bytes in all, about a hundred times; the last"
    " time, when all went well, both are the same. What it raises ends the transfer. In the async"
    " client it may be async."
)
UPLOAD: Final = {
    "body": "A path, bytes, a text, a binary file or an iterable of bytes. A str is the text"
    " itself, sent as UTF-8, and never a path: make it a `pathlib.Path`. An open file is read from"
    " where it stands, and stays open. The async client also takes async files and iterables:"
    " aiofiles, anyio, FastAPI's `UploadFile`.",
    "content_type": "Its media type. Left out: the `content_type` of the file object if it has one,"
    " else by the ending of the name, else the general one.",
    "byte_size": "Its size in bytes. Needed only for what does not tell it, such as an iterable.",
    "filename": "Its name, for people. Left out: the last part of the path of a file; without .gz"
    " and the like if the file object unpacks what it reads.",
    "on_progress": PROGRESS,
}
UPLOAD_MANY: Final = {
    "paths": "The files, as `pathlib.Path`s.",
    "concurrency": "How many of them go up at the same time.",
    "filenames": "Names for people, one for each path; None for one stands for the last part of its"
    " path, as for all when left out.",
    "on_progress": f"Of all of them together, where a file that failed counts too. {PROGRESS}",
}
DOWNLOAD: Final = {
    "to": "A path, which gets the file when it is whole, and only then. A file that is already"
    " there is replaced, and keeps its mode; a pipe or device such as /dev/stdout is written to."
    " Or a binary file, in the async client also an async one: it is written from where it stands,"
    " and stays open. Left out: the bytes are returned.",
    "on_progress": PROGRESS,
    "max_bytes": "How large the file may be.",
}
BAD_BODY: Final = (
    "An argument that cannot be sent, or a body that cannot be read, does not tell its size, or has"
    " another one than `byte_size` says or the file had at the start."
)
BAD_PLACE: Final = (
    "An argument that cannot be used, or the bytes cannot go there. Nothing was sent."
)


def upload_doc(op: Operation, upload: Upload, syntax: Syntax) -> str:
    """Return the docstring of an upload."""
    return joined(
        [
            upload.summary,
            "",
            f"`{op.verb} {op.path}`, then the bytes go to the URL that it returns, without your"
            " credential. They are never in memory all at once. There is no limit for the whole"
            " unless you set a `timeout`, but for silence. What fails for a moment, or takes so"
            " long that the URL expires, is tried again from the start, if the body can be read"
            " again.",
            "",
            *arguments(UPLOAD.items()),
            "Returns:",
            "    The row, as it was before the bytes were there.",
            "",
            *raises(op, BAD_BODY),
            "    UploadError: The storage refused the bytes; `status` is its answer.",
            *_shown(upload.example, syntax),
        ]
    )


def upload_many_doc(op: Operation, many: Many, syntax: Syntax) -> str:
    """Return the docstring of an upload of several files."""
    return joined(
        [
            many.summary,
            "",
            f"`{op.verb} {op.path}` for each, then its bytes. A file that fails does not touch the"
            " others: its error stands in its place.",
            "",
            *arguments(UPLOAD_MANY.items()),
            "Returns:",
            "    In the order of the paths: for each the row, or the exception that it ended in.",
            "",
            "Raises:",
            "    UsageError: Not all are paths, or an argument cannot be used. Nothing was sent.",
            "    Cancelled: By the token; this ends all of them.",
            *_shown(many.example, syntax),
        ]
    )


def download_doc(op: Operation, download: Download, syntax: Syntax) -> str:
    """Return the docstring of a download."""
    return joined(
        [
            download.summary,
            "",
            f"`{op.verb} {op.path}`, then the bytes come from the URL that it returns, without your"
            " credential. A lost connection goes on where it was lost, if the storage can do that."
            " There is no limit for the whole unless you set a `timeout`, but for silence. Size"
            " and hash are compared with the row, if the handle was made with one, else the size"
            " with what the storage says.",
            "",
            *arguments(DOWNLOAD.items()),
            "Returns:",
            "    The bytes; for a path, the path; for a file, how many bytes were written.",
            "",
            *raises(op, BAD_PLACE),
            "    DownloadError: The storage refused, or the bytes are too many, not those of the"
            " row, or cannot be written. No part of the file is left behind at a path.",
            *_shown(download.example, syntax),
        ]
    )


def _shown(call: str, syntax: Syntax) -> list[str]:
    return example([f">>> {syntax.await_}{call}"] if call else [])


FIELDS: Final = {
    "after": "Where to start: a sequence, a `Position`, `latest`, `beginning` or `Last(n)`. Left "
    "out: where the checkpoint says, else `latest`.",
    "checkpoint": "Where to keep how far it was followed.",
    "skip_own": "Leave out what you wrote yourself.",
    "on_gap": "Called with each `Gap` of numbers that were passed over.",
    "max_backfill": "After an outage or a restart, read no more than the last so many numbers of "
    "what was missed; `on_gap`, which it needs, is told of the others. Left out: read all.",
    "cancel": "Ends it from another thread or task.",
}


def follow_doc(op: Operation, follow: Follow, syntax: Syntax) -> str:
    """Return the docstring of a method that returns a feed."""
    open_with, walk = syntax.for_.replace("for", "with"), syntax.for_
    lines = [f">>> {open_with} {follow.example} as feed:", f"...     {walk} item in feed:"]
    return joined(
        [
            follow.summary,
            "",
            f"It listens live, and reads what it missed with `{op.name}`.",
            "",
            "Args:",
            *(f"    {name}: {text}" for name, text in FIELDS.items()),
            "",
            "Returns:",
            "    A context manager, and an iterator of deliveries.",
            "",
            "Raises:",
            "    JoinError: By the iterator: the server refused the channel.",
            "    FeedReset: By the iterator: the log began anew.",
            "    CheckpointError: When it begins, and by the iterator: the checkpoint failed.",
            "    ApiError: When it begins, and by the iterator: what does not pass by itself.",
            "    UsageError: When it begins: an argument that cannot be used.",
            "    Cancelled: By the iterator: `cancel` was cancelled.",
            *example([*lines, "...         print(item)"] if follow.example else []),
        ]
    )


def reply_doc(send: Operation) -> str:
    """Return the docstring of the reply to a delivery."""
    return joined(
        [
            "Send an answer to where this came from, once, however often this is handed out.",
            "",
            "The ID of the answer depends on what it answers, on whose token it is, on how many "
            "answers were sent before, and on a secret in the checkpoint, so that nobody else can "
            "compute it. If the program is killed after sending it and the same is delivered "
            "again, the server returns the first answer and stores no second one. Without a "
            "checkpoint the secret ends with the feed: pass an `id` of your own to answer once "
            "over restarts.",
            "",
            "An answer that the server refuses for good (any 4xx but 401, 408, 425 and 429) "
            "acknowledges what it answers, so that it does not come again and is not refused at "
            "each start. The refusal is reported to `on_socket_error` too.",
            "",
            *arguments(told((*send.positional, *send.keyword))),
            "Returns:",
            "    What was stored.",
            "",
            *raises(send),
            "    CheckpointError: The checkpoint failed.",
        ]
    )


def feed_doc(syntax: Syntax) -> str:
    """Return the docstring of a feed."""
    close = "`aclose`" if syntax.prefix else "`close`"
    return joined(
        [
            "Everything once and in order, over lost connections and restarts. One consumer.",
            "",
            "Asking for the next one acknowledges the one in hand, and so does leaving the"
            " `with` block, by `break` too, but not by an exception. Without a `with` block only"
            f" the next step does, and the channels stay joined until {close} or until the client"
            " is closed.",
        ]
    )
