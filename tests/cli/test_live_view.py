"""`poolse tail` and the bars on a terminal."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime

import pytest
from rich.cells import cell_len
from rich.console import Console

from poolse import Message, from_dict
from poolse.cli.line_views import Status, text_of
from poolse.cli.live_view import LiveView
from poolse.cli.sanitize import one_line
from poolse.testing import Sandbox
from tests.cli.run_command import Command
from tests.cli.terminal import on_terminal, visible

HOUR = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)


def message(body: str, **more: object) -> Message:
    row: dict[str, object] = {
        "id": "m",
        "sender_id": "u",
        "body": body,
        "sequence": 7,
        "inserted_at": HOUR.isoformat(),
        **more,
    }
    return from_dict(row, Message)


def drawn(view: LiveView, file: io.StringIO) -> list[str]:
    """The lines that are to be seen."""
    with view:
        view.status(Status("connected", ("alice", "bob"), ("bob",)))
    return visible(file.getvalue()).splitlines()


def view_of(columns: int) -> tuple[LiveView, io.StringIO]:
    file = io.StringIO()
    console = Console(file=file, width=columns, force_terminal=True, highlight=False)
    return LiveView("Team 🚀", console), file


BODY = "שלום עולם 👩‍👩‍👧 日本語テキスト a text that is broken several times\nand a line"


@pytest.mark.parametrize("columns", [20, 33, 49, 50, 80, 200])
def test_nothing_is_wider_than_the_terminal(columns: int) -> None:
    view, file = view_of(columns)
    view.message(message(BODY), "a-name-that-is-longer-than-names-should-be")
    view.message(message("Q" * 300), "bob")
    lines = drawn(view, file)
    assert max(map(cell_len, lines)) <= columns
    assert "".join(lines).count("Q") == 300
    text = re.sub(r"\s", "", "".join(lines))
    assert "שלום" in text
    assert "日本語" in text


def test_what_is_said_stands_below_each_other() -> None:
    view, file = view_of(60)
    view.message(message("one\ntwo"), "alice")
    view.message(message("three", thread_root_id="r"), "bob")
    view.message(message("", deleted_at=HOUR.isoformat()), "bob")
    day, *lines = [line.rstrip() for line in drawn(view, file)]
    assert day == f"{HOUR.astimezone():%A, %d %B %Y}"
    time = f"{HOUR.astimezone():%H:%M}"
    assert lines[:4] == [
        f"{time} alice one",
        "            two",
        f"{time} bob   ↳ three",
        f"{time} bob   (deleted)",
    ]
    assert "● Team 🚀 · here: alice, bob · bob is typing …" in lines


def test_markup_is_text() -> None:
    view, file = view_of(60)
    view.message(message("[bold]a[/bold] [/] :smile: \x1b[2J"), "[red]x")
    assert "[red]x [bold]a[/bold] [/] :smile: ␛[2J" in drawn(view, file)[1]
    assert "\x1b[2J" not in file.getvalue()


def test_who_is_here_and_who_is_typing(command: Command, sandbox: Sandbox) -> None:
    command.said("\x1b]0;evil\x07 first")
    with on_terminal(command, "tail", command.conversation) as terminal:
        terminal.wait_for("alice ␛]0;evil␇ first")
        terminal.wait_for("● Team · here: alice")
        with (
            command.chat("bob") as chat,
            chat.realtime.conversation(command.conversation) as live,
        ):
            terminal.wait_for("● Team · here: alice, bob")
            live.send_typing()
            terminal.wait_for("bob is typing …")
            command.said("Hello", by="bob")
            terminal.wait_for("bob   Hello")
        sandbox.faults.refuse_handshakes(status=503, times=1000)
        sandbox.faults.drop_sockets(external_id="alice")
        terminal.wait_for("● Team · reconnecting … · the handshake was refused with HTTP 503")
        terminal.type("\x03")
        assert terminal.end() == 130
    assert "\x1b]" not in terminal.raw
    assert terminal.raw.rindex("\x1b[?25h") > terminal.raw.rindex("\x1b[?25l"), "no cursor"
    assert "Traceback" not in terminal.raw


def test_a_closed_window_ends_it(command: Command) -> None:
    with on_terminal(command, "tail", command.conversation) as terminal:
        terminal.wait_for("here: alice")
        assert terminal.hang_up() == 129


def test_a_name_is_not_obeyed(command: Command) -> None:
    command.said("Hello")
    (command.home / "names.toml").write_text('names.alice = "\\u001b]0;evil\\u0007"', "utf-8")
    arguments = ("tail", command.conversation, "--count", "1", "--config", "names.toml")
    with on_terminal(command, *arguments) as terminal:
        assert terminal.end() == 0
    assert "␛]0;evil␇ Hello" in visible(terminal.raw)
    assert "\x1b]" not in terminal.raw


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colours_can_be_switched_off(command: Command, no_color: str, coloured: bool) -> None:
    command.said("Hello")
    arguments = ("tail", command.conversation, "--count", "1")
    with on_terminal(command, *arguments, NO_COLOR=no_color) as terminal:
        assert terminal.end() == 0
    assert bool(re.search(r"\x1b\[[0-9;]*\b3[1-7]m", terminal.raw)) is coloured


def test_a_terminal_that_can_nothing_gets_lines(command: Command) -> None:
    command.said("Hello")
    arguments = ("tail", command.conversation, "--count", "1")
    with on_terminal(command, *arguments, TERM="dumb") as terminal:
        assert terminal.end() == 0
    assert "\x1b" not in terminal.raw
    assert "#1  alice  Hello" in terminal.raw


def test_bars_of_files(command: Command) -> None:
    (command.home / "[red]a.bin").write_bytes(bytes(300_000))
    with on_terminal(command, "upload", command.conversation, "[red]a.bin") as terminal:
        assert terminal.end() == 0
    assert "[red]a.bin" in visible(terminal.raw)
    assert re.search(r"300\.0/300\.0 kB", visible(terminal.raw))
    assert "?" not in visible(terminal.raw)
    # The line of the bar is erased.
    assert "\x1b[2K" in terminal.raw[terminal.raw.rindex("300.0/300.0") :]


def test_a_bar_of_an_export(command: Command) -> None:
    command.said(*map(str, range(5)))
    with on_terminal(command, "export", command.conversation, "-o", "all.csv") as terminal:
        assert terminal.end() == 0
    assert "all.csv: 5 messages up to #5" in visible(terminal.raw)


def test_a_text_from_the_keyboard(command: Command) -> None:
    with on_terminal(command, "send", command.conversation) as terminal:
        terminal.wait_for("reading the text up to Ctrl-D")
        terminal.type("Typed\n\x04")
        assert terminal.end() == 0
    assert command.bodies == ["Typed"]
    with on_terminal(command, "send", command.conversation) as terminal:
        terminal.wait_for("reading the text up to Ctrl-D")
        terminal.type("\x03")
        assert terminal.end() == 130
    assert "Traceback" not in terminal.raw


@pytest.mark.parametrize(
    "environ", [{"LC_ALL": "C"}, {"LANG": "POSIX"}, {"PYTHONIOENCODING": "ascii"}]
)
def test_a_terminal_without_unicode_gets_ascii(
    command: Command, sandbox: Sandbox, environ: dict[str, str]
) -> None:
    with command.chat() as chat:
        chat.conversations.one(command.conversation).messages.send("two\nlines")
    (command.home / "a.bin").write_bytes(bytes(300_000))
    shown: list[str] = []
    for arguments in (
        ("conversations", "list"),
        ("upload", command.conversation, "a.bin"),
        ("export", command.conversation),
        ("tail", command.conversation, "--since", "0"),
    ):
        with on_terminal(command, *arguments, columns=40, **environ) as terminal:
            if arguments[0] == "tail":
                terminal.wait_for("* Team - here: alice")
                terminal.wait_for("[a.bin, 300,000 bytes]")
                sandbox.faults.refuse_handshakes(status=503, times=1)
                sandbox.faults.drop_sockets(external_id="alice")
                terminal.wait_for("* Team - reconnecting ...")
                terminal.type("\x03")
            terminal.end()
        shown.append(visible(terminal.raw))
    assert "".join(shown).isascii(), shown
    assert "..." in shown[0]
    assert "---- " in shown[1]
    assert "---- " in shown[2]


def test_texts_of_users_stay_as_they_are(command: Command) -> None:
    command.said("“Привет …”")
    called = command("tail", command.conversation, "--count", "1", LC_ALL="C")
    assert "“Привет …”" in called.out


def test_a_reply_is_marked_in_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    assert text_of(message("“Yes”", thread_root_id="r")) == "> “Yes”"
    assert one_line("a\nb") == "a / b"
