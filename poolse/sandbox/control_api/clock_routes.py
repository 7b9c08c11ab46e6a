"""The clock of the sandbox over HTTP."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from poolse.sandbox.control_api.call import Call, Outcome, Route, json
from poolse.sandbox.control_api.schemas import obj, ref
from poolse.sandbox.errors import invalid

__all__ = ["CLOCK_ROUTES"]

_LATEST: Final = 190e9
"""Unix time that timestamps can still show."""


async def show_clock(call: Call) -> Response:
    """Return the time."""
    clock = call.service.clock
    return json({"now": clock.timestamp(), "offset": clock.offset})


async def advance(call: Call) -> Response:
    """Advance the clock."""
    seconds = call.body["forward"]
    assert isinstance(seconds, int | float)  # noqa: S101  (or the schema had refused it)
    if call.service.clock.now() + seconds > _LATEST:
        raise invalid(forward="is beyond the year 8000")
    call.service.clock.advance(seconds)
    return await show_clock(call)


async def reset_clock(call: Call) -> Response:
    """Return to the time of the machine."""
    call.service.clock.reset()
    return await show_clock(call)


_CLOCK: Final = {200: Outcome("The clock.", ref("Clock"))}

CLOCK_ROUTES: Final = (
    Route("GET", "/_sandbox/clock", show_clock, "Read the clock", _CLOCK),
    Route(
        "PATCH",
        "/_sandbox/clock",
        advance,
        "Advance the clock",
        _CLOCK,
        "Ages tokens, signed URLs and stored responses immediately. Timers run on real time.",
        body=obj(
            {
                "forward": {
                    "type": "number",
                    "minimum": 0,
                    "maximum": 4e9,
                    "description": "Seconds to advance.",
                }
            }
        ),
    ),
    Route(
        "DELETE",
        "/_sandbox/clock",
        reset_clock,
        "Reset the clock",
        _CLOCK,
        "It is that of the machine again. What was stored in between has later times.",
    ),
)
