"""Serves the page: its HTML at `/`, and its other files below `/_sandbox/page/`."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

from starlette.responses import Response

from poolse.sandbox.control_api.call import Call, Outcome, Path, Route
from poolse.sandbox.errors import ApiRefusal

__all__ = ["PAGE_ROUTES"]

_NAME: Final = re.compile(r"\w[\w.-]*", re.ASCII)
_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "mjs": "text/javascript; charset=utf-8",
    "png": "image/png",
    "svg": "image/svg+xml",
}


def _policy(host: str) -> str:
    """Return the content security policy: the page talks to the sandbox, and to nobody else."""
    return "; ".join(
        (
            "default-src 'self'",
            f"connect-src 'self' ws://{host} wss://{host}",
            "img-src 'self' blob: data:",
            "media-src 'self' blob: data:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


async def index(call: Call) -> Response:
    """Return the HTML of the page."""
    return _file("index.html", call.headers["host"])


async def file(call: Call) -> Response:
    """Return another file of the page."""
    return _file(call.values["name"], call.headers["host"])


def _file(name: str, host: str) -> Response:
    path = files("poolse.sandbox").joinpath("page").joinpath(name)
    if not _NAME.fullmatch(name) or not path.is_file():
        raise ApiRefusal("not_found", "the page has no such file")
    media_type = _TYPES.get(name.rpartition(".")[2], "text/plain; charset=utf-8")
    headers = {"content-security-policy": _policy(host), "referrer-policy": "no-referrer"}
    return Response(path.read_bytes(), 200, headers, media_type)


PAGE_ROUTES: Final = (
    Route("GET", "/", index, "The page", {200: Outcome("HTML", media_type="text/html")}),
    Route(
        "GET",
        "/_sandbox/page/{name}",
        file,
        "A file of the page",
        {200: Outcome("The file", media_type="*/*")},
        path_values=(Path("name", "Name of the file, such as `main.js`."),),
        errors=(404,),
    ),
)
