"""A page of another origin than the sandbox: that of a program in development, or of a stranger."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from tests.handler_server import QuietHandler, served_by

__all__ = ["served"]


@contextmanager
def served(files: Mapping[str, tuple[str, bytes]]) -> Generator[str]:
    """Serve files, by their paths with their types. Yields the address of the server."""

    class Handler(QuietHandler):
        def do_GET(self) -> None:  # noqa: N802  (the name of http.server)
            kind, content = files.get(self.path.partition("?")[0], ("", b""))
            self.answer(200 if kind else 404, kind or "text/plain", content)

    with served_by(Handler) as url:
        yield url
