"""What the spec says of the age of things: since when, until when, and under which names before."""

from __future__ import annotations

import attrs

from codegen.diagnostics import Location

__all__ = ["NEW", "Alias", "Old"]


@attrs.frozen(kw_only=True)
class Alias:
    """A name that something had before, and still answers to."""

    name: str
    now: str
    """The name that it has now."""
    since: str
    """The release that gave it that."""
    until: str
    """The release that takes the old one away."""
    kind: str = ""
    """Which of its names it is, when it has several: `class` or "" for the everyday one."""
    mark: Location = attrs.field(eq=False, repr=False)

    @property
    def notice(self) -> str:
        """What is said to whoever still uses it."""
        return f"{self.name} is called {self.now} since {self.since}, and ends with {self.until}"


@attrs.frozen(kw_only=True)
class Old:
    """The age of one thing."""

    since: str = ""
    """The release that brought it, "" when it was always there."""
    deprecated: str = ""
    """What is said to whoever still uses it, "" when all is well."""
    until: str = ""
    """Of something deprecated: the release that takes it away, if that is known."""
    aliases: tuple[Alias, ...] = ()

    def called(self, name: str) -> tuple[tuple[str, str], ...]:
        """All names that it answers to, with what is said to whoever uses each."""
        return ((name, self.deprecated), *((alias.name, alias.notice) for alias in self.names))

    @property
    def names(self) -> tuple[Alias, ...]:
        """Old names for everyday use."""
        return tuple(alias for alias in self.aliases if not alias.kind)

    @property
    def classes(self) -> tuple[Alias, ...]:
        """Old names of its class."""
        return tuple(alias for alias in self.aliases if alias.kind == "class")


NEW = Old()
