"""Which line of a table of routes a request means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar
from urllib.parse import unquote

from poolse.sandbox.errors import ApiRefusal

__all__ = ["match_route"]


class Line(Protocol):
    """A line of a table of routes."""

    @property
    def method(self) -> str:
        """Method of HTTP."""
        ...

    @property
    def path(self) -> str:
        """Path, with names in braces in place of values."""
        ...


L = TypeVar("L", bound=Line)


def match_route(table: Iterable[L], method: str, raw_path: str) -> tuple[L, dict[str, str]]:
    """Return the line that a request means, and the values in its path.

    The path is taken apart before it is decoded: an encoded slash belongs to its segment.

    Raises:
        ApiRefusal: There is no such path, or it takes other methods.
    """
    tried = [(line, _values(line.path, raw_path)) for line in table]
    found = [(line, values) for line, values in tried if values is not None]
    if not found:
        raise ApiRefusal("not_found", "there is nothing at this path")
    # A path that is written out goes before one with a value in its place.
    fewest = min(len(values) for _, values in found)
    methods = {line.method: (line, values) for line, values in found if len(values) == fewest}
    wanted = "GET" if method == "HEAD" else method
    if wanted not in methods:
        allowed = sorted(methods.keys() | ({"HEAD"} if "GET" in methods else set()))
        raise ApiRefusal("method_not_allowed", f"it takes {', '.join(allowed)}", allow=allowed)
    return methods[wanted]


def _values(template: str, raw_path: str) -> dict[str, str] | None:
    """Return the values in a path, or None when it is not of this template."""
    names, segments = template.split("/"), raw_path.split("/")
    if len(names) != len(segments):
        return None
    values: dict[str, str] = {}
    for name, segment in zip(names, segments, strict=True):
        try:
            value = unquote(segment, errors="strict")
        except UnicodeDecodeError:
            return None
        if name.startswith("{") and value:
            values[name[1:-1]] = value
        elif name != value:
            return None
    return values
