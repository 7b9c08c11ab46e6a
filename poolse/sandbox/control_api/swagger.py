"""Swagger UI beside the sandbox's own page, if PyPI's `swagger-ui-bundle-v2` is installed.

The extra `sandbox-ui` installs it. Its files are served as they are, apart from the page and the
script that starts it: those of the package load examples and have the start as an inline script.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path as FilePath
from typing import Final

from starlette.responses import Response

from poolse.sandbox.control_api.call import Call, Outcome, Path, Route
from poolse.sandbox.errors import ApiRefusal

__all__ = ["SWAGGER_ROUTES", "has_swagger"]

_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Swagger UI of the poolse sandbox</title>
<link rel="icon" href="favicon-32x32.png">
<link rel="stylesheet" href="swagger-ui.css">
<div id="swagger-ui"></div>
<script src="swagger-ui-bundle.js"></script>
<script src="swagger-ui-standalone-preset.js"></script>
<script type="module" src="start.js"></script>
</html>
"""

# The validator that Swagger UI would ask about the document is another host.
_START: Final = """const { api_key } = await (await fetch("../environment")).json()
const ui = SwaggerUIBundle({
  dom_id: "#swagger-ui",
  urls: [
    { name: "Chat API", url: "../api.json" },
    { name: "Control of the sandbox", url: "../openapi.json" },
  ],
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  layout: "StandaloneLayout",
  deepLinking: true,
  validatorUrl: null,
  onComplete: () => ui.preauthorizeApiKey("apiKey", api_key),
})
"""

_SECURITY: Final = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Swagger UI writes styles into its elements, and has its pictures in its style sheet."""

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
}
_OURS: Final = {"": ("text/html; charset=utf-8", _PAGE), "start.js": (_TYPES[".js"], _START)}
_THEIRS: Final = frozenset(
    {
        "favicon-32x32.png",
        "swagger-ui.css",
        "swagger-ui-bundle.js",
        "swagger-ui-standalone-preset.js",
    }
)


def has_swagger() -> bool:
    """Return whether the package is installed."""
    return find_spec("swagger_ui_bundle") is not None


async def swagger_page(call: Call) -> Response:  # noqa: ARG001  (as all handlers)
    """Return the page of Swagger UI."""
    return _file("")


async def swagger_file(call: Call) -> Response:
    """Return another file of Swagger UI."""
    return _file(call.values["name"])


def _file(name: str) -> Response:
    if not has_swagger():
        raise ApiRefusal(
            "not_found", "Swagger UI is not installed: pip install 'poolse[sandbox-ui]'"
        )
    headers = {"content-security-policy": _SECURITY}
    if name in _OURS:
        media_type, text = _OURS[name]
        return Response(text, 200, headers, media_type)
    if name not in _THEIRS:
        raise ApiRefusal("not_found", f"Swagger UI has no file {name!r}")
    return Response(_read(name), 200, headers, _TYPES[FilePath(name).suffix])


@cache
def _read(name: str) -> bytes:
    folder: FilePath = import_module("swagger_ui_bundle").swagger_ui_path
    return (folder / name).read_bytes()


SWAGGER_ROUTES: Final = (
    Route(
        "GET",
        "/_sandbox/swagger/",
        swagger_page,
        "Swagger UI",
        {200: Outcome("HTML", media_type="text/html")},
        "Shows this document, and that of the chat API. 404 without the package "
        "`swagger-ui-bundle-v2`, which the extra `sandbox-ui` installs.",
        errors=(404,),
    ),
    Route(
        "GET",
        "/_sandbox/swagger/{name}",
        swagger_file,
        "A file of Swagger UI",
        {200: Outcome("The file", media_type="*/*")},
        path_values=(Path("name", "Name of the file, such as `swagger-ui.css`."),),
        errors=(404,),
    ),
)
