"""Rules: what release each kind of change requires, and how to adapt to it.

Those of the wire follow oasdiff and `redocly diff`: what is sent may be widened, and what is
received may be narrowed.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import attrs

__all__ = [
    "RULES",
    "Rule",
    "Verdict",
]


class Verdict(IntEnum):
    """The part of the version that a change increments."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3

    def __str__(self) -> str:
        return self.name.lower()


@attrs.frozen
class Rule:
    """What a change means."""

    verdict: Verdict
    group: str
    """Its heading in the changelog; "" if it is not listed there."""
    say: str
    """The line of the changelog."""
    do: str = ""
    """How to adapt to it."""
    wire: str = ""
    """What else has to fit: a key of `report.WIRE`."""
    griffe: bool = False
    """Whether griffe calls it a breaking change, too."""


PATCH, MINOR, MAJOR = Verdict.PATCH, Verdict.MINOR, Verdict.MAJOR


def _changed(
    verdict: Verdict, say: str, do: str = "", wire: str = "", griffe: bool = False
) -> Rule:
    return Rule(verdict, "Changed", say, do, wire, griffe)


RULES: Final[dict[str, Rule]] = {
    # ---- coming, going, other names
    "added": Rule(MINOR, "Added", "`{name}`{where}", wire="server"),
    "added field": Rule(
        MINOR, "Added", "`{name}`", "What you read from `extra` before is in this field now."
    ),
    "added event": Rule(
        MINOR,
        "Added",
        "`{name}`{where}",
        "It was an `UnknownEvent` before; `match` with `assert_never` needs a case for it.",
        "server",
    ),
    "added value": Rule(
        MINOR, "Added", "`{name}`", "`match` with `assert_never` needs a case for it."
    ),
    "value of a closed enum": Rule(
        MAJOR,
        "Added",
        "`{name}`, in an enum that is closed",
        "Handle it where you match.",
        "clients",
    ),
    "required parameter": _changed(
        MAJOR, "`{name}` is new and required", "Pass it in each call.", "clients", griffe=True
    ),
    "removed": Rule(MAJOR, "Removed", "`{name}`{where}", "Do without it.", "clients", griffe=True),
    "renamed": _changed(
        MINOR,
        "`{old}` is `{new}` now; the old name works until {until}",
        "Use the new name before {until}.",
    ),
    "renamed at once": _changed(
        MAJOR,
        "`{old}` is `{new}` now, and the old name is gone",
        "Use the new name, or let the spec keep the old one with `was`.",
        griffe=True,
    ),
    "alias dropped": Rule(
        MAJOR, "Removed", "`{old}`, the old name of `{new}`", "Use the new name.", griffe=True
    ),
    "until": _changed(MINOR, "the old name `{name}` works until {new}, not until {old}"),
    "deprecated on": Rule(MINOR, "Deprecated", "{new}", "Do what the notice says."),
    "deprecated off": _changed(PATCH, "`{name}` is not deprecated any more"),
    # ---- what is taken
    "takes wider": _changed(MINOR, "`{name}` takes `{new}`, not only `{old}`", wire="server"),
    "takes narrower": _changed(
        MAJOR, "`{name}` takes only `{new}`, no more `{old}`", "Pass nothing else.", "clients"
    ),
    "takes other": _changed(MAJOR, "`{name}` takes `{new}`, not `{old}`", "Pass that.", "both"),
    "required on": _changed(
        MAJOR, "`{name}` is required", "Pass it in each call.", "clients", griffe=True
    ),
    "required off": _changed(MINOR, "`{name}` may be left out", wire="server"),
    "limits tighter": _changed(
        MAJOR, "the limits of `{name}` are narrower: {new}, not {old}", "Stay within it.", "clients"
    ),
    "limits looser": _changed(
        MINOR, "the limits of `{name}` are wider: {new}, not {old}", "", "server"
    ),
    "place": _changed(
        MAJOR,
        "`{name}` is number {new} by position, not {old}",
        "Pass it by name, or in the new order.",
        griffe=True,
    ),
    "place on": _changed(MINOR, "`{name}` may be passed by position"),
    "place off": _changed(
        MAJOR, "`{name}` is passed by name only", "Pass it by name.", griffe=True
    ),
    "default": _changed(MINOR, "`{name}` is `{new}` when it is left out, not `{old}`"),
    "generate on": _changed(MINOR, "`{name}` is filled when it is left out"),
    "generate off": _changed(
        MAJOR, "`{name}` is not filled any more", "Make one, or a retry may act twice."
    ),
    "argument": _changed(
        MAJOR,
        "`{name}` is called with `{new}=`, not `{old}=`",
        "Rename the argument.",
        griffe=True,
    ),
    "row on": _changed(MINOR, "`{name}` is made with a model too: `{new}`"),
    "row off": _changed(MAJOR, "`{name}` is not made with `{old}` any more", "Pass an id."),
    "ids on": _changed(MINOR, "`{name}` stands for the ID of a {new}"),
    "ids off": _changed(
        MAJOR, "`{name}` does not stand for the ID of a {old} any more", "Pass the id."
    ),
    "refs on": _changed(MINOR, "`{name}` refers to a {new}"),
    "refs off": _changed(
        MAJOR, "`{name}` does not refer to a {old} any more", "Pass what does, or an id."
    ),
    # ---- what is given
    "gives wider": _changed(
        MAJOR, "`{name}` is `{new}`, not always `{old}`", "Handle what is new in it.", "clients"
    ),
    "gives narrower": _changed(MINOR, "`{name}` is always `{new}`, no more `{old}`", wire="server"),
    "gives other": _changed(
        MAJOR, "`{name}` is `{new}`, not `{old}`", "Change what you do with it.", "both"
    ),
    "value": _changed(MAJOR, "`{name}` is `{new}`, not `{old}`", "Change what you do with it."),
    "async on": _changed(MAJOR, "`{name}` is awaited", "Await it."),
    "async off": _changed(MAJOR, "`{name}` is not awaited any more", "Do not await it."),
    "overloads": _changed(MAJOR, "`{name}` has other overloads", "Compare them."),
    "sent on": _changed(PATCH, "`{name}` is always sent"),
    "sent off": _changed(PATCH, "`{name}` may be absent from a response"),
    "base": _changed(MAJOR, "`{name}` is a `{new}`, not a `{old}`", "Change how you use it."),
    "payload": _changed(
        MAJOR, "`{name}` is called with `{new}`, not `{old}`", "Change the handler."
    ),
    "base on": _changed(MINOR, "`{name}` is a `{new}` now"),
    "open on": _changed(MINOR, "`{name}` lets unknown values through"),
    "open off": _changed(
        MAJOR, "`{name}` refuses unknown values", "Expect a DecodeError for those."
    ),
    "secret on": Rule(PATCH, "Security", "`{name}` is not in `repr` any more"),
    "secret off": _changed(PATCH, "`{name}` is in `repr`"),
    # ---- how it works
    "auth": _changed(
        MAJOR, "`{name}` needs `{new}`, not `{old}`", "Call it on the other client.", "both"
    ),
    "scheme": _changed(
        MAJOR, "the {name} is sent as {new}, not as {old}", "Update it with the server.", "both"
    ),
    "server": _changed(MINOR, "{name} is at `{new}`, not at `{old}`", "Let it through.", "both"),
    "idempotency": _changed(PATCH, "`{name}` is `{new}` on the wire, not `{old}`", wire="server"),
    "idempotency on": _changed(MINOR, "`{name}` can be repeated safely", wire="server"),
    "idempotency off": _changed(
        MAJOR, "`{name}` carries no key any more", "Expect that a repetition acts twice."
    ),
    "retry on": _changed(MINOR, "`{name}` is tried again when that may help"),
    "retry off": _changed(MAJOR, "`{name}` is sent once only", "Try again on your own."),
    "none_on on": _changed(
        MAJOR, "`{name}` returns None for a {new}, which raised before", "Expect None."
    ),
    "none_on off": _changed(
        MAJOR, "`{name}` raises for a {old}, which was None before", "Catch the error."
    ),
    "descending on": _changed(
        MAJOR, "`{name}` goes from the last one back", "Turn round what you build of it."
    ),
    "descending off": _changed(
        MAJOR, "`{name}` goes from the first one on", "Turn round what you build of it."
    ),
    "reply on": _changed(MINOR, "deliveries of `{name}` have `reply`"),
    "reply off": _changed(MAJOR, "deliveries of `{name}` have no `reply`", "Send it yourself."),
    "answer on": _changed(
        MAJOR, "`{name}` waits for the reply of the server", "Expect a PushError.", "both"
    ),
    "answer off": _changed(
        MAJOR, "`{name}` does not wait for a reply", "Do not expect it to raise.", "both"
    ),
    "replay on": _changed(MINOR, "`{name}` gives a late handler the last one"),
    "replay off": _changed(
        MAJOR, "`{name}` gives a late handler nothing", "Add the handler earlier."
    ),
    "transient on": _changed(MINOR, "`{name}` gives way to other events in a full queue"),
    "transient off": _changed(MINOR, "`{name}` is kept as long as other events in a queue"),
    "errors on": _changed(MINOR, "`{name}` may be refused with `{new}`"),
    "errors off": Rule(PATCH, "", "`{name}` is not refused with `{old}` any more"),
    # ---- beneath the names
    "event": _changed(
        MAJOR,
        "`{name}` hears `{new}`, not `{old}`",
        "Nothing; but older clients hear it no more.",
        "both",
    ),
    "wire": _changed(PATCH, "`{name}` is `{new}` on the wire, not `{old}`", wire="both"),
    "text": Rule(PATCH, "", "what is said of `{name}`"),
    "inside": Rule(PATCH, "", "nothing that can be seen from outside"),
}
