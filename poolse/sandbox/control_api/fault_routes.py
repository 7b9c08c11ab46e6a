"""Faults over HTTP: those of `FaultControl`, with the same names and arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from starlette.responses import Response

from poolse.sandbox.backend import Backend
from poolse.sandbox.control_api.call import Call, Node, Outcome, Path, Route, empty, json
from poolse.sandbox.control_api.schemas import listed, obj, ref
from poolse.sandbox.errors import ApiRefusal, invalid
from poolse.sandbox.fault_control import FaultControl
from poolse.sandbox.fault_kinds import FaultArgument, FaultKind, arguments_of, fault_kinds
from poolse.sandbox.faults import Armed
from poolse.sandbox.strict_json import Json, JsonObject

__all__ = ["FAULT_ROUTES"]

T = TypeVar("T")


async def list_faults(call: Call) -> Response:
    """Return what is in force."""
    faults = call.backend.faults
    data: list[Json] = [_view(armed) for armed in faults.armed()]
    broadcasts: JsonObject = {
        "lost": faults.broadcasts.lost,
        "doubled": faults.broadcasts.doubled,
        "delayed": faults.broadcasts.delayed,
        "seconds": faults.broadcasts.seconds,
    }
    return json({"data": data, "broadcasts": broadcasts, "muted": not faults.sending.is_set()})


async def arm(call: Call) -> Response:
    """Call the method of `FaultControl` that the body names."""
    faults = call.backend.faults
    before = faults.newest
    arguments = {name: value for name, value in call.body.items() if name != "kind"}
    kind = fault_kinds()[str(call.body["kind"])]
    try:
        kind.apply(_control(call), arguments)
    except ValueError as error:
        raise invalid(base=str(error)) from None
    new = [armed for armed in faults.armed() if armed.id > before]
    return json(_view(new[0]), 201) if new else empty()


async def disarm(call: Call) -> Response:
    """Disarm one fault."""
    number = call.values["id"]
    if not number.isdecimal() or not call.backend.faults.disarm_one(int(number)):
        raise ApiRefusal("not_found", "no such fault is armed")
    return empty()


async def clear(call: Call) -> Response:
    """Remove all faults."""
    _control(call).clear()
    return empty()


async def list_kinds(_call: Call) -> Response:
    """Return all faults that there are."""
    data: list[Json] = [
        {
            "kind": kind.name,
            "description": kind.description,
            "arguments": [_argument_view(one) for one in kind.arguments],
        }
        for kind in fault_kinds().values()
    ]
    return json({"data": data})


def _control(call: Call) -> FaultControl:
    """Return the handle for faults, which works at once: this is the sandbox's own loop."""

    def run(function: Callable[[Backend], T]) -> T:
        return function(call.backend)

    return FaultControl(run)


def _view(armed: Armed) -> JsonObject:
    arguments = arguments_of(armed)
    return {
        "id": armed.id,
        "kind": armed.fault.kind,
        "times": armed.times,
        "path": None if "topic" in arguments else armed.match.path,
        "method": armed.match.method,
        "arguments": arguments,
    }


def _argument_view(argument: FaultArgument) -> JsonObject:
    return {
        "name": argument.name,
        "type": argument.type,
        "nullable": argument.nullable,
        "default": argument.default,
        "required": argument.required,
        "minimum": argument.limit.minimum,
        "maximum": argument.limit.maximum,
        "description": argument.description,
    }


def _schema(kind: FaultKind) -> Node:
    """Return the schema of a body that names a fault."""
    properties: dict[str, Node] = {"kind": {"const": kind.name}}
    properties |= {one.name: one.schema() for one in kind.arguments}
    optional = [one.name for one in kind.arguments if not one.required]
    return obj(properties, *optional, description=kind.description)


_BODY: Final[Node] = {
    "oneOf": [_schema(kind) for kind in fault_kinds().values()],
    "discriminator": {"propertyName": "kind"},
}

_LIST: Final = obj(
    {
        "data": {"type": "array", "items": ref("Fault")},
        "broadcasts": {
            **obj({name: {"type": "number"} for name in ("lost", "doubled", "delayed", "seconds")}),
            "description": "As in `disturb_broadcasts`.",
        },
        "muted": {"type": "boolean", "description": "Whether sockets are muted."},
    }
)

FAULT_ROUTES: Final = (
    Route(
        "GET",
        "/_sandbox/faults",
        list_faults,
        "List the faults in force",
        {200: Outcome("Faults that are armed, the oldest first.", _LIST)},
        "`times` is the number of requests that are left.",
    ),
    Route(
        "POST",
        "/_sandbox/faults",
        arm,
        "Inject a fault",
        {
            201: Outcome("The fault, which is armed.", ref("Fault")),
            204: Outcome("It was carried out at once, or changed a setting."),
        },
        "Kinds and arguments are the methods of `sandbox.faults` in Python.",
        body=_BODY,
    ),
    Route(
        "DELETE",
        "/_sandbox/faults",
        clear,
        "Remove all faults",
        {204: Outcome("There are none.")},
        "Hanging requests and muted sockets continue.",
    ),
    Route(
        "DELETE",
        "/_sandbox/faults/{id}",
        disarm,
        "Remove a fault",
        {204: Outcome("It is removed.")},
        "Requests that hang already continue with the fault `release`.",
        path_values=(Path("id", "ID of the fault."),),
        errors=(404,),
    ),
    Route(
        "GET",
        "/_sandbox/faults/kinds",
        list_kinds,
        "List all kinds of faults",
        {200: Outcome("Kinds with their arguments.", listed("FaultKind"))},
    ),
)
