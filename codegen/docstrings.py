"""Docstrings of generated code, wrapped to the line length."""

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
    "repeated_doc",
    "reply_doc",
    "request_doc",
    "upload_doc",
    "upload_many_doc",
]

WIDTH: Final = 96
OPTIONS: Final = ("options", "Timeout, retries and other options of this call only.")
HISTORY: Final = (
    (
        "order",
        "`newest` or `oldest` first. With `oldest`, items that are added during the iteration may"
        " be missing, and memory holds a few pages, however long the list is. New in 0.5.",
    ),
    (
        "include_replies",
        "Whether the replies in threads are included, each where its number belongs. Needs"
        " `order='oldest'`, and at least one more request per thread. New in 0.5.",
    ),
)
UNSENDABLE: Final = "An argument is invalid. No request was made."


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
        [f"    None if the status is {' or '.join(map(str, op.none_on))}."] if op.none_on else []
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
    shown = [f">>> {syntax.for_} item in {paging.example}:", "...     print(item)"]
    return joined(
        [
            f"Iterate over all items of `{op.name}`, fetching pages as needed.",
            "",
            f"`{op.verb} {op.path}`, once per page. Makes no request before the first step, and"
            " stops after an empty page.",
            "",
            *arguments((*told((*op.positional, *op.keyword)), *(HISTORY if paging.thread else ()))),
            "Returns:",
            "    An iterator over the items.",
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
        yield f"Server default: `{limits['default']}`."


def arguments(params: Iterable[tuple[str, str]]) -> list[str]:
    """Return the `Args:` section, options included."""
    return ["Args:", *(f"    {name}: {doc}" for name, doc in (*params, OPTIONS)), ""]


def raises(op: Operation, wrong: str = UNSENDABLE) -> list[str]:
    """Return the `Raises:` section of a call."""
    looked_up = [f"`{p.name}`" for p in op.translated]
    if looked_up:
        names = " or ".join(looked_up)
        wrong = f"An argument is invalid, or {names} is not in the list. Nothing was sent."
    *most, last = [f"`{code}`" for code in op.errors] or [""]
    codes = f"{', '.join(most)} or {last}" if most else last
    refusal = "The server refused the request"
    refusal += f", with `code` {codes}." if codes else "."
    return [
        "Raises:",
        f"    ApiError: {refusal}",
        "    NetworkError: No response was received, even after the retries.",
        "    DecodeError: The response does not match the API.",
        f"    UsageError: {wrong}",
    ]


def example(lines: list[str]) -> list[str]:
    """Return the `Example:` section."""
    return ["", "Example:", *(f"    {line}" for line in lines)] if lines else []


def joined(lines: list[str]) -> str:
    """Join the lines of a docstring."""
    return "\n".join(lines).rstrip()


TIMEOUT: Final = "Seconds for the join, the push and the reply together; None for no timeout."
REFUSED: Final = (
    "Raises:",
    "    PushError: The server replied with an error.",
    "    PushTimeout: No reply was received in time.",
    "    PushOutcomeUnknown: The connection or the channel was lost before the reply.",
    "    ChannelClosed: The channel was left, or realtime was disconnected, while waiting.",
)
UNREADABLE: Final = ("    DecodeError: The reply does not match the API.",)


def callback_doc(event: Event, notice: str = "") -> str:
    """Return the docstring of a method that adds a handler."""
    return joined(
        [
            f"Add a handler for `{event.class_name}` events (`{event.wire}`).",
            "",
            event.doc + (" Handlers added later receive the last one." if event.replay else ""),
            "",
            *age(event.deprecation.since, notice),
            "Args:",
            "    handler: Called with each event, in order.",
            "",
            "Returns:",
            "    A function that removes the handler.",
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


def repeated_doc(push: Push) -> str:
    """Return the docstring of a method that repeats a push."""
    return joined(
        [
            f"Return a context manager that repeats `{push.method}` while its block runs.",
            "",
            f"Sent on entering, then every {push.every:g} seconds. Also in an async client, a plain"
            " `with` is enough.",
            "",
            "Raises:",
            "    ChannelClosed: On entering: the channel was left, or the client closed.",
        ]
    )


def accessor_doc(channel: Channel, notice: str = "") -> str:
    """Return the docstring of a method that returns a channel."""
    return joined(
        [
            f"Return the `{channel.class_name}` of an ID. The same ID returns the same object.",
            "",
            channel.doc,
            "",
            *age("", notice),
            "Args:",
            f"    {channel.param}: {channel.param_doc}",
        ]
    )


PROGRESS: Final = (
    "Called with the number of bytes transferred and of all bytes, about a hundred times; after a"
    " success the last call has both the same. An exception in it ends the transfer. The async"
    " client also accepts an async function."
)
UPLOAD: Final = {
    "body": "A `pathlib.Path`, bytes, a str, a binary file or an iterable of bytes. A str is"
    " content to send as UTF-8, never a path. An open file is read from its current position and"
    " stays open. The async client also accepts async files and iterables: aiofiles, anyio,"
    " FastAPI's `UploadFile`.",
    "content_type": "Media type. Default: the `content_type` of the file object if it has one, else"
    " guessed from the file extension, else `application/octet-stream`.",
    "byte_size": "Size in bytes. Required only if it cannot be determined, as for an iterable.",
    "filename": "Name to show. Default: the last part of the path of a file, without .gz and the"
    " like if the file object decompresses.",
    "on_progress": PROGRESS,
}
UPLOAD_MANY: Final = {
    "paths": "The files, as `pathlib.Path` objects.",
    "concurrency": "Maximum number of uploads at the same time.",
    "filenames": "Names to show, one per path. None stands for the last part of the path, which is"
    " also the default.",
    "on_progress": f"Reports all files together, including failed ones. {PROGRESS}",
}
DOWNLOAD: Final = {
    "to": "A path or a binary file; the async client also accepts an async file. A path receives"
    " the file only when it is complete: an existing file is replaced and keeps its mode, and a"
    " pipe or device such as /dev/stdout is written to. A file object is written from its current"
    " position and stays open. Default: return the bytes.",
    "on_progress": PROGRESS,
    "max_bytes": "Maximum size of the file in bytes. Default: no maximum.",
}
BAD_BODY: Final = (
    "An argument is invalid, or the body cannot be read, or its size is unknown or differs from"
    " `byte_size` or from the size at the start."
)
BAD_PLACE: Final = (
    "An argument is invalid, or the destination cannot be written to. No request was made."
)


def upload_doc(op: Operation, upload: Upload, syntax: Syntax) -> str:
    """Return the docstring of an upload."""
    return joined(
        [
            upload.summary,
            "",
            f"`{op.verb} {op.path}`, then sends the bytes to the returned URL of the object"
            " storage, without your credential. The body is streamed. Only an idle timeout"
            " applies, unless you set a `timeout` for the whole upload. After a transient"
            " failure, or if the URL expires, the upload restarts from the beginning if the body"
            " can be read again.",
            "",
            *arguments(UPLOAD.items()),
            "Returns:",
            "    The attachment as created, with status `pending`.",
            "",
            *raises(op, BAD_BODY),
            "    UploadError: The object storage refused the bytes; `status` is its HTTP status.",
            *_shown(upload.example, syntax),
        ]
    )


def upload_many_doc(op: Operation, many: Many, syntax: Syntax) -> str:
    """Return the docstring of an upload of several files."""
    return joined(
        [
            many.summary,
            "",
            f"`{op.verb} {op.path}` for each file, then sends its bytes. A failed upload does not"
            " affect the others: its exception is in the result.",
            "",
            *arguments(UPLOAD_MANY.items()),
            "Returns:",
            "    For each path, in order, the attachment as created, or the exception of the"
            " upload.",
            "",
            "Raises:",
            "    UsageError: An argument is invalid, or not a path. No request was made.",
            "    Cancelled: The cancel token was cancelled. All uploads end.",
            *_shown(many.example, syntax),
        ]
    )


def download_doc(op: Operation, download: Download, syntax: Syntax) -> str:
    """Return the docstring of a download."""
    return joined(
        [
            download.summary,
            "",
            f"`{op.verb} {op.path}`, then fetches the bytes from the returned URL of the object"
            " storage, without your credential. After a lost connection the download resumes"
            " where it stopped, if the object storage supports that. Only a read timeout"
            " applies, unless you set a `timeout` for the whole download. A handle created with"
            f" the `{download.row}` verifies size and hash; one created with an ID verifies the"
            " size that the object storage reports.",
            "",
            *arguments(DOWNLOAD.items()),
            "Returns:",
            "    The bytes. For a path, the path; for a file object, the number of bytes written.",
            "",
            *raises(op, BAD_PLACE),
            "    DownloadError: The object storage refused, the file is larger than `max_bytes`,"
            " its size or hash is wrong, or it cannot be written. No partial file is left at a"
            " path.",
            *_shown(download.example, syntax),
        ]
    )


def _shown(call: str, syntax: Syntax) -> list[str]:
    return example([f">>> {syntax.await_}{call}"] if call else [])


FIELDS: Final = {
    "after": 'Where to start: a sequence, a `Position`, "latest", "beginning" or `Last(n)`.'
    ' Default: the position in the checkpoint, else "latest".',
    "checkpoint": "Where to save the position, to resume from it after a restart.",
    "skip_own": "Skip messages that the signed-in user sent.",
    "on_gap": "Called with each `Gap`: sequence numbers that the feed skipped.",
    "max_backfill": "After an outage or a restart, read at most this many of the missed sequence"
    " numbers, the newest ones. `on_gap`, which is then required, is called with the others."
    " Default: read all.",
    "cancel": "Token that ends the feed from another thread or task.",
}


def follow_doc(op: Operation, follow: Follow, syntax: Syntax) -> str:
    """Return the docstring of a method that returns a feed."""
    open_with, walk = syntax.for_.replace("for", "with"), syntax.for_
    lines = [f">>> {open_with} {follow.example} as feed:", f"...     {walk} item in feed:"]
    return joined(
        [
            follow.summary,
            "",
            f"Delivers realtime events, and fetches missed ones with `{op.name}`.",
            "",
            "Args:",
            *(f"    {name}: {text}" for name, text in FIELDS.items()),
            "",
            "Returns:",
            "    A context manager, and an iterator of deliveries.",
            "",
            "Raises:",
            "    UsageError: On entering: an argument is invalid.",
            "    CheckpointError: On entering or iterating: the checkpoint failed.",
            "    ApiError: On entering or iterating: the server refused a request.",
            "    JoinError: On iterating: the server refused to join the channel.",
            "    FeedReset: On iterating: the sequence numbers restarted.",
            "    Cancelled: On iterating: `cancel` was cancelled.",
            *example([*lines, "...         print(item)"] if follow.example else []),
        ]
    )


def reply_doc(send: Operation) -> str:
    """Return the docstring of the reply to a delivery."""
    return joined(
        [
            "Reply in the same conversation, exactly once even if this is delivered again.",
            "",
            "The ID of the reply is derived from the delivery, the signed-in user, the number of"
            " earlier replies to it, and a secret in the checkpoint, so that nobody else can"
            " compute it. If the process is killed after sending and the delivery is repeated, the"
            " server returns the first reply and stores no duplicate. Without a checkpoint the"
            " secret ends with the feed: pass your own `id` to reply exactly once across restarts.",
            "",
            "If the server refuses the reply permanently (any 4xx except 401, 408, 425 and 429),"
            " the delivery is acknowledged, so that it is not refused again at each start. The"
            " error is also reported to `on_socket_error`.",
            "",
            *arguments(told((*send.positional, *send.keyword))),
            "Returns:",
            "    The reply as stored.",
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
            "Iterator of deliveries, each once and in order, across reconnects and restarts.",
            "",
            "Requesting the next delivery acknowledges the current one, as does leaving the"
            " `with` block normally or by `break`, but not by an exception. Without a `with`"
            f" block, the channels stay joined until you call {close} or close the client. Use"
            " one consumer per feed.",
        ]
    )
