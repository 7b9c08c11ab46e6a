"""Docstrings of channels."""

from __future__ import annotations

from typing import Final

from codegen.docs import age, joined
from codegen.ir import Channel, Event, Push

__all__ = ["accessor_doc", "callback_doc", "push_doc"]

TIMEOUT: Final = "Seconds for everything together; None waits as long as it takes."
REFUSED: Final = (
    "Raises:",
    "    PushError: The server answered with an error.",
    "    PushTimeout: No reply came in time.",
    "    PushOutcomeUnknown: The connection or the channel was lost before the reply came.",
    "    ChannelClosed: The channel was left, or realtime disconnected, meanwhile.",
    "    DecodeError: The reply is not what the API promises.",
)


def callback_doc(event: Event, notice: str = "") -> str:
    """What is said of the method that takes a handler."""
    return joined(
        [
            event.doc,
            "",
            f"Event `{event.wire}`."
            + (" A handler that comes late is given the last one at once." if event.replay else ""),
            "",
            *age(event.old.since, notice),
            "Args:",
            "    handler: Called with each one, in order.",
            "",
            "Returns:",
            "    A function that takes the handler away again.",
        ]
    )


def push_doc(push: Push, notice: str = "") -> str:
    """What is said of a push."""
    params = [f"    {p.name}: {p.doc}" for p in push.params]
    params += [f"    timeout: {TIMEOUT}"] if push.result else []
    return joined(
        [
            push.summary,
            "",
            f"Pushes `{push.wire}`.",
            "",
            *age(push.old.since, notice),
            *(["Args:", *params, ""] if params else []),
            *(
                ["Returns:", f"    {push.returns or 'The reply.'}", "", *REFUSED]
                if push.result
                else []
            ),
        ]
    )


def accessor_doc(channel: Channel, notice: str = "") -> str:
    """What is said of the method that gives a channel."""
    return joined(
        [
            channel.doc,
            "",
            *age("", notice),
            "Args:",
            f"    {channel.param}: {channel.param_doc}",
        ]
    )
