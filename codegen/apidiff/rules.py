"""Rules: what release each kind of change requires, and how to adapt to it."""

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
    is_wire: bool = False
    """Whether older clients break, or newer ones need a newer server."""


PATCH, MINOR, MAJOR = Verdict.PATCH, Verdict.MINOR, Verdict.MAJOR

RULES: Final[dict[str, Rule]] = {
    # ---- coming, going, other names
    "added": Rule(MINOR, "Added", "`{name}`{where}"),
    "required parameter": Rule(
        MAJOR, "Changed", "`{name}` is new and required", "Pass it in each call."
    ),
    "value of a closed enum": Rule(
        MAJOR, "Added", "`{name}`, in an enum that is closed", "Handle it where you match."
    ),
    "removed": Rule(MAJOR, "Removed", "`{name}`{where}", "Do without it."),
    "renamed": Rule(
        MINOR,
        "Changed",
        "`{old}` is `{new}` now; the old name works until {until}",
        "Use the new name before {until}.",
    ),
    "renamed at once": Rule(
        MAJOR,
        "Changed",
        "`{old}` is `{new}` now, and the old name is gone",
        "Use the new name, or let the spec keep the old one with `was`.",
    ),
    "alias dropped": Rule(
        MAJOR, "Removed", "`{old}`, the old name of `{name}`", "Use the new name."
    ),
    "deprecated": Rule(MINOR, "Deprecated", "{new}", "Do what the notice says."),
    "not deprecated": Rule(PATCH, "Changed", "`{name}` is not deprecated any more"),
    # ---- what is taken
    "takes wider": Rule(MINOR, "Changed", "`{name}` takes `{new}`, not only `{old}`"),
    "takes narrower": Rule(
        MAJOR, "Changed", "`{name}` takes only `{new}`, no more `{old}`", "Pass nothing else."
    ),
    "takes other": Rule(MAJOR, "Changed", "`{name}` takes `{new}`, not `{old}`", "Pass that."),
    "required on": Rule(MAJOR, "Changed", "`{name}` is required", "Pass it in each call."),
    "required off": Rule(MINOR, "Changed", "`{name}` may be left out"),
    "positional on": Rule(MINOR, "Changed", "`{name}` may be passed by position"),
    "positional off": Rule(MAJOR, "Changed", "`{name}` is passed by name only", "Pass it by name."),
    "positionals": Rule(
        MAJOR,
        "Changed",
        "`{name}` takes `{new}` by position, in this order, not `{old}`",
        "Pass them by name, or in the new order.",
    ),
    "generate on": Rule(MINOR, "Changed", "`{name}` is filled when it is left out"),
    "generate off": Rule(
        MAJOR, "Changed", "`{name}` is not filled any more", "Make one, or a retry may act twice."
    ),
    "argument": Rule(
        MAJOR, "Changed", "`{name}` is made with `{new}=`, not `{old}=`", "Rename the argument."
    ),
    # ---- what is given
    "gives wider": Rule(
        MAJOR, "Changed", "`{name}` is `{new}`, not always `{old}`", "Handle what is new in it."
    ),
    "gives narrower": Rule(MINOR, "Changed", "`{name}` is always `{new}`, no more `{old}`"),
    "gives other": Rule(
        MAJOR, "Changed", "`{name}` is `{new}`, not `{old}`", "Change what you do with it."
    ),
    "absent on": Rule(PATCH, "", "`{name}` may be absent as well as None"),
    "absent off": Rule(PATCH, "", "`{name}` may be None, but not absent"),
    "base": Rule(
        MAJOR, "Changed", "`{name}` is a `{new}`, not a `{old}`", "Change how you use it."
    ),
    "payload": Rule(
        MAJOR, "Changed", "`{name}` is called with `{new}`, not `{old}`", "Change the handler."
    ),
    "open on": Rule(MINOR, "Changed", "`{name}` lets unknown values through"),
    "open off": Rule(
        MAJOR, "Changed", "`{name}` refuses unknown values", "Expect a DecodeError for those."
    ),
    "secret on": Rule(PATCH, "Security", "`{name}` is not in `repr` any more"),
    "secret off": Rule(PATCH, "Changed", "`{name}` is in `repr`"),
    "presence": Rule(MAJOR, "Changed", "presence of `{name}` is `{new}`, not `{old}`", "Use that."),
    "presence on": Rule(MINOR, "Added", "`{name}.{new}`"),
    "row": Rule(MINOR, "Changed", "`{name}` is made with a model too: `{new}`"),
    "row off": Rule(MAJOR, "Changed", "`{name}` is made with `{new}`, not `{old}`", "Pass an id."),
    # ---- how it works
    "auth": Rule(
        MAJOR, "Changed", "`{name}` needs `{new}`, not `{old}`", "Call it on the other client."
    ),
    "idempotency on": Rule(MINOR, "Changed", "`{name}` can be repeated safely"),
    "idempotency off": Rule(
        MAJOR, "Changed", "`{name}` carries no key any more", "Expect that a repetition acts twice."
    ),
    "retry on": Rule(MINOR, "Changed", "`{name}` is tried again when that may help"),
    "retry off": Rule(MAJOR, "Changed", "`{name}` is sent once only", "Try again on your own."),
    "descending on": Rule(
        MAJOR, "Changed", "`{name}` goes from the last one back", "Turn round what you build of it."
    ),
    "descending off": Rule(
        MAJOR, "Changed", "`{name}` goes from the first one on", "Turn round what you build of it."
    ),
    "replay on": Rule(MINOR, "Changed", "`{name}` gives a late handler the last one"),
    "replay off": Rule(
        MAJOR, "Changed", "`{name}` gives a late handler nothing", "Add the handler earlier."
    ),
    "transient on": Rule(MINOR, "Changed", "`{name}` gives way to other events in a full queue"),
    "transient off": Rule(MINOR, "Changed", "`{name}` is kept as long as other events in a queue"),
    "errors on": Rule(MINOR, "Changed", "`{name}` may be refused with `{new}`"),
    "errors off": Rule(PATCH, "", "`{name}` is not refused with `{old}` any more"),
    # ---- beneath the names
    "event": Rule(
        MAJOR,
        "Changed",
        "`{name}` hears `{new}`, not `{old}`",
        "Nothing; but older clients hear it no more.",
        is_wire=True,
    ),
    "wire": Rule(PATCH, "Changed", "`{name}` is `{new}` on the wire, not `{old}`", is_wire=True),
    "text": Rule(PATCH, "", "what is said of `{name}`"),
    "inside": Rule(PATCH, "", "nothing that can be seen from outside"),
}
