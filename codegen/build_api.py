"""A spec -> the API as frozen objects, or everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from codegen.channels import Channels
from codegen.checks import check_examples, check_releases
from codegen.error_responses import Refusals
from codegen.ir import Api
from codegen.operations import Operations
from codegen.schemas import Schemas
from codegen.spec import Spec, load_spec
from codegen.yaml_source import Diagnostics

__all__ = ["build", "built", "shown"]

DESCRIBED: Final = ("openapi", "info", "tags", "asyncapi", "defaultContentType")
"""Keys of both files that say what is in them."""

SOCKET_CREDENTIAL: Final = {"type": "httpApiKey", "in": "query", "name": "token"}
"""The one way in which realtime sends a credential."""


def build(folder: Path, name: str = "", *, is_past: bool = False) -> Api:
    """Build everything that is generated from the spec in a folder.

    Args:
        folder: Where it is.
        name: How diagnostics name the folder; left out: as seen from here, if it lies below.
        is_past: Whether it is the spec of an earlier release, which today's rules do not bind.

    Raises:
        SpecError: It has diagnostics.
    """
    diagnostics = Diagnostics()
    spec = load_spec(folder, name or shown(folder), diagnostics)
    if not (spec.rest and spec.events):
        diagnostics.raise_if_any()
    api = built(spec)
    if not is_past:
        diagnostics.raise_if_any()
    return api


def built(spec: Spec) -> Api:
    """Build everything, and report what is wrong to the diagnostics of the spec."""
    for root in (spec.rest, spec.events):
        for key in DESCRIBED:
            root.get(key).take()
    schemas, refusals = Schemas(spec), Refusals(spec)
    operations = Operations(schemas, refusals)
    resources = operations.resources()
    channels = Channels(schemas).all()
    requests = schemas.requests(operations.requests())
    models = schemas.models()
    refusals.check_common()
    events_sdk = spec.sdk(spec.events, "eventsRoot")
    for sdk in (spec.root_sdk, events_sdk):
        sdk.get("grammar")
    events_sdk.text("protocol")
    api = Api(
        enums=schemas.enums(),
        models=models,
        requests=requests,
        resources=tuple(r for r in resources if r.credential == "token"),
        backend_resources=tuple(r for r in resources if r.credential == "api_key"),
        channels=channels,
        realtime=events_sdk.text("class"),
        codes=refusals.codes,
        errors=refusals.errors,
        security=operations.security(),
        url=_url(spec),
        socket=_socket(spec),
        version=str(spec.rest.peek("info", "version").value or ""),
    )
    check_examples(api, spec)
    check_releases(spec)
    spec.report_unread()
    return api


def _url(spec: Spec) -> str:
    servers = list(spec.rest.get("servers").each())
    for server in servers:
        server.text("description")
    return servers[0].text("url").rstrip("/") if servers else ""


def _socket(spec: Spec) -> str:
    for scheme in spec.events.get("components", "securitySchemes").values():
        scheme.text("description")
        if tuple(map(scheme.text, SOCKET_CREDENTIAL)) != tuple(SOCKET_CREDENTIAL.values()):
            said = ", ".join(f"{key}: {value}" for key, value in SOCKET_CREDENTIAL.items())
            scheme.wrong(f"a socket takes its credential as {{{said}}}")
    for server in spec.events.get("servers").values():
        server.get("security").take()
        host, path = server.text("host"), server.text("pathname")
        if not path.endswith("/websocket"):
            server.wrong("the pathname of a Phoenix socket ends with '/websocket'")
        return f"{server.text('protocol')}://{host}{path}"
    return ""


def shown(folder: Path) -> str:
    """Return how a folder is called in messages."""
    here, folder = Path.cwd(), folder.resolve()
    return str(folder.relative_to(here) if folder.is_relative_to(here) else folder)
