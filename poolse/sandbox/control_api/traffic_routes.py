"""The traffic of the API: list, details, events."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from poolse.sandbox.control_api.call import Call, Outcome, Path, Query, Route, empty, json
from poolse.sandbox.control_api.event_stream import EventStream
from poolse.sandbox.control_api.har import har
from poolse.sandbox.control_api.schemas import listed, ref
from poolse.sandbox.control_api.state import release
from poolse.sandbox.errors import ApiRefusal
from poolse.sandbox.rest import json_response
from poolse.sandbox.strict_json import Json, dump

__all__ = ["TRAFFIC_ROUTES"]

_MOST: Final = 5_000


async def list_entries(call: Call) -> Response:
    """Return entries, the oldest first."""
    limit = call.query["limit"]
    entries = call.service.traffic.entries()
    if "after" in call.query:
        after = call.query["after"]
        chosen = [entry for entry in entries if entry.id > after][:limit]
    else:
        chosen = entries[max(0, len(entries) - limit) :]
    data: list[Json] = [call.service.views.line(entry) for entry in chosen]
    return json({"data": data})


async def show_entry(call: Call) -> Response:
    """Return an entry with its details."""
    number = call.values["id"]
    entry = call.service.traffic.get(int(number)) if number.isdecimal() else None
    if entry is None:
        raise ApiRefusal("not_found", "there is no such entry, or it was forgotten")
    return json(call.service.views.details(entry))


async def forget(call: Call) -> Response:
    """Forget all entries."""
    call.service.traffic.clear()
    return empty()


async def events(call: Call) -> EventStream:
    """Send entries as they come."""
    last = call.headers.get("last-event-id", "")
    after = int(last) if last.isdecimal() else call.query["after"]
    return EventStream(call.service.traffic, call.service.views, after)


async def export(call: Call) -> Response:
    """Return all entries as HAR."""
    document = har(call.service.traffic.entries(), call.service.views, release())
    headers = {"content-disposition": 'attachment; filename="sandbox.har"'}
    return json_response(200, dump(document), headers)


TRAFFIC_ROUTES: Final = (
    Route(
        "GET",
        "/_sandbox/traffic",
        list_entries,
        "List the traffic",
        {200: Outcome("Entries, the oldest first.", listed("Entry"))},
        "Requests to the API and frames of its sockets. At most the last 5,000 are kept, and at "
        "most 32 MB. Fields that do not apply are null. Tokens, API keys, signatures of URLs and "
        "tokens of devices are shown as `…`.",
        query=(
            Query("after", "Only entries after the one with this ID; the oldest ones.", None),
            Query("limit", "Number of entries; without `after` the newest ones.", _MOST, _MOST),
        ),
    ),
    Route(
        "GET",
        "/_sandbox/traffic/{id}",
        show_entry,
        "Show an entry of the traffic",
        {200: Outcome("The entry with its details.", ref("EntryDetails"))},
        "With headers and bodies, or the payload of a frame; at most 16 kB of each body.",
        path_values=(Path("id", "ID of the entry."),),
        errors=(404,),
    ),
    Route(
        "DELETE",
        "/_sandbox/traffic",
        forget,
        "Forget the traffic",
        {204: Outcome("All entries were forgotten.")},
        "New entries continue with the next ID.",
    ),
    Route(
        "GET",
        "/_sandbox/traffic/events",
        events,
        "Watch the traffic",
        {200: Outcome("Server-Sent Events.", media_type="text/event-stream")},
        "The `id` of an event is that of the entry, its `data` is the entry. An entry is sent "
        "again when its status comes. A `Last-Event-ID` header resumes. A comment is sent every "
        "15 s. A reader that is too slow is disconnected, and may resume.",
        query=(Query("after", "Only entries after the one with this ID.", 0),),
    ),
    Route(
        "GET",
        "/_sandbox/traffic.har",
        export,
        "Export the traffic",
        {200: Outcome("A HAR 1.2 document.", {"type": "object"})},
        "For the developer tools of browsers, and other viewers of HTTP archives. Frames are "
        "`_webSocketMessages` of their handshake. Secrets are hidden.",
    ),
)
