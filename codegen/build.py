"""A valid spec -> the API as frozen objects."""

from __future__ import annotations

from codegen.build_events import build_channels
from codegen.build_methods import build_requests, build_resources
from codegen.build_types import Types
from codegen.ir import Api, Code
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
        version=spec.rest.text("info", "version"),
    )
