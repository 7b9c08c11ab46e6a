"""Where the demo is played: prints who does what, one line each, from any thread."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from poolse.cli.session import Session

__all__ = ["DemoOutput"]


class DemoOutput:
    """A person reads this, so it is told as a story; a program gets it line by line."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._console = Console(highlight=False, quiet=session.json)

    def title(self, text: str, detail: str) -> None:
        """The first line."""
        self._console.print(f"\n  [bold]{text}[/bold]  [dim]{detail}[/dim]", soft_wrap=True)
        legend = "who, with the sync or the async client: what happens   [dim]how[/dim]"
        self._console.print(f"  {legend}", soft_wrap=True)

    def scene(self, number: int, title: str) -> None:
        """A new chapter."""
        self._console.print(f"\n  [bold]{number}. {title}[/bold]\n")

    def end(self) -> None:
        """The last line."""
        self._console.print("\n  Nothing was lost.\n")

    def alice(self, what: str, detail: str = "") -> None:
        """The sync script does something."""
        self._line("alice", "sync ", "cyan", what, detail)

    def bob(self, what: str, detail: str = "") -> None:
        """The async service does something."""
        self._line("bob", "async", "magenta", what, detail)

    def backend(self, what: str) -> None:
        """Something happens to both."""
        self._line("", "     ", "yellow", what, "")

    def _line(self, who: str, flavour: str, colour: str, what: str, detail: str) -> None:
        if self._session.json:
            self._session.tell({"who": who or "backend", "what": what, "how": detail})
            return
        line = Text.assemble("    ", (f"{who:<6}", f"bold {colour}"), (f"{flavour}  ", "dim"))
        line.append(what, None if who else colour)
        if detail:
            line.append(f"   {detail}", "dim")
        # A line stays whole, however narrow the terminal or the log is.
        self._console.print(line, soft_wrap=True)
