"""Docstrings of methods that hand out what comes."""

from __future__ import annotations

from typing import Final

from codegen.docs import Flavour, arguments, example, joined, raises, told
from codegen.ir import Follow, Operation

__all__ = ["feed_doc", "follow_doc", "reply_doc"]

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


def follow_doc(op: Operation, follow: Follow, flavour: Flavour) -> str:
    """What is said of the method that hands out what comes."""
    open_with, walk = flavour.for_.replace("for", "with"), flavour.for_
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
    """What is said of the method that answers a row."""
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


def feed_doc(flavour: Flavour) -> str:
    """What is said of a feed."""
    close = "`aclose`" if flavour.prefix else "`close`"
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
