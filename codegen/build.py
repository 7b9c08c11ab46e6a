"""A valid spec -> the API as frozen objects."""

from __future__ import annotations

from codegen.build_events import build_channels
from codegen.build_methods import build_requests, build_resources
from codegen.build_types import Types
from codegen.ir import Api, Code, Security
from codegen.spec import Spec, all_codes

__all__ = [
    "build",
]


def build(spec: Spec) -> Api:
    """Build everything that is generated."""
    types = Types(spec)
    resources = build_resources(spec, types)
    channels = build_channels(spec, types)
    requests = build_requests(spec, types)
    models = types.models()
    return Api(
        enums=types.enums(),
        models=models,
        requests=requests,
        resources=tuple(r for r in resources if r.credential == "token"),
        backend_resources=tuple(r for r in resources if r.credential == "api_key"),
        channels=channels,
        realtime=spec.events.text("x-sdk", "class"),
        codes=tuple(
            Code(name=name, location=node.location) for name, node in all_codes(spec).items()
        ),
        security=tuple(
            Security(
                credential=node.text("x-sdk", "credential"),
                scheme=node.text("scheme") or node.text("in"),
                name=node.text("name"),
                errors=tuple(node.get("x-sdk", "errors").strings()),
                location=node.location,
            )
            for node in spec.rest.get("components", "securitySchemes").values()
        ),
        url=next((one.text("url") for one in spec.rest.get("servers").each()), ""),
        socket=" ".join(
            one.text(key)
            for one in spec.events.get("servers").values()
            for key in ("protocol", "host", "pathname")
        ),
        version=spec.rest.text("info", "version"),
    )
