"""However a command ends, it says so in a line or not at all, and leaves a known exit code."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import pytest

from poolse.testing import Sandbox
from tests.cli.run_command import COMMAND, ROOT, Command
from tests.cli.test_send import NOBODY


def alone(code: str) -> subprocess.CompletedProcess[str]:
    """Run Python."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={"PYTHONPATH": str(ROOT), "POOLSE_CONFIG": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("arguments", ["send {} Hello", "upload {} a.txt", "listen"])
def test_ctrl_c_is_130_and_silence(command: Command, sandbox: Sandbox, arguments: str) -> None:
    (command.home / "a.txt").write_text("a")
    sandbox.faults.hang(times=10)
    before = len(sandbox.requests)
    with command.process(*arguments.format(command.conversation).split()) as process:
        sandbox.wait_for(lambda: len(sandbox.requests) > before, timeout=20)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    sandbox.faults.clear()
    assert (process.returncode, out, err) == (130, "", "")


@pytest.mark.parametrize("arguments", ["tail {} --last 5", "tail {} --json", "listen {}"])
def test_a_reader_that_goes_away_is_no_error(command: Command, arguments: str) -> None:
    command.said(*map(str, range(5)))
    with command.process(*arguments.format(command.conversation).split()) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        while process.poll() is None:
            command.said("more")
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 141


@pytest.mark.parametrize(
    "arguments",
    [
        *("--help", "tail --help", "whoami", "members list {}", "doctor", "demo"),
        *("sandbox --port 0", "export {} --force"),
    ],
)
def test_a_pipe_that_is_closed_from_the_start_is_quiet(command: Command, arguments: str) -> None:
    with command.process(*arguments.format(command.conversation).split()) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 141


@pytest.mark.parametrize("arguments", ["demo", "demo --json"])
def test_a_demo_whose_reader_leaves_later_is_quiet(command: Command, arguments: str) -> None:
    with command.process(*arguments.split()) as process:
        assert process.stdout is not None
        while "bob" not in process.stdout.readline():
            pass
        while "is connected" not in process.stdout.readline():
            pass
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 141


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(f"send {NOBODY} x", 4), ("tial", 2), ("send {} x --token-file none", 2)],
)
def test_an_error_without_a_reader_keeps_its_exit_code(
    command: Command, arguments: str, code: int
) -> None:
    with command.process(*arguments.format(command.conversation).split()) as process:
        assert process.stderr is not None
        process.stderr.close()
        assert process.wait(30) == code


def test_without_the_extra_it_says_how_to_install_it() -> None:
    done = alone(
        "import sys; sys.modules['click'] = None; from poolse.cli import main; sys.exit(main([]))"
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "poolse: the command needs click: pip install 'poolse[cli]'\n"


def test_without_rich_too() -> None:
    done = alone(
        "import sys; sys.modules['rich'] = sys.modules['rich.console'] = None; "
        "from poolse.cli import main; sys.exit(main(['demo']))"
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "pip install 'poolse[sandbox,cli]'" in done.stderr


BUG = """
import sys
from poolse.cli import main, session
def broken(self, value):
    raise KeyError("sec" + "ret")
session.Session.print_text = broken
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("debug", [False, True])
def test_a_bug_is_one_line_and_a_traceback_on_demand(command: Command, debug: bool) -> None:
    arguments = ["token", "alice", *(["--debug"] if debug else [])]
    done = subprocess.run(
        [sys.executable, "-c", BUG, *arguments],
        env={"PYTHONPATH": str(ROOT), **command.environ()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (70, "")
    assert "internal error (KeyError)" in done.stderr
    assert "run it again with --debug, and report the output" in done.stderr
    assert ("Traceback" in done.stderr) is debug
    assert ("secret" in done.stderr) is debug


def test_no_error_shows_a_secret(command: Command, sandbox: Sandbox) -> None:
    token, key = sandbox.token("carol"), sandbox.api_key
    for arguments in (["send", command.conversation, "x"], ["tail", NOBODY], ["listen", NOBODY]):
        called = command(*arguments, "--debug", POOLSE_TOKEN=token)
        assert called.code in (3, 4)
        assert "Traceback" in called.err
        assert token not in called.err
        assert key not in called.err


def test_python_is_not_asked_to_interpret_what_a_server_says(
    command: Command, sandbox: Sandbox
) -> None:
    sandbox.faults.fail(status=400, code="\x1b[31mred")
    called = command("send", command.conversation, "x")
    assert called.code == 1
    assert "␛[31mred" in called.err
    assert "\x1b" not in called.err


def test_letters_that_the_output_cannot_have(command: Command) -> None:
    command.said("日本 🚀 é")
    ascii_only: dict[str, str | None] = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    for arguments, shown in (([], "?? ? ?"), (["--json"], r"\u65e5\u672c \ud83d\ude80 \u00e9")):
        tail = ["tail", command.conversation, "--count", "1", *arguments]
        with command.process(*tail, environ=ascii_only) as process:
            out, err = process.communicate(timeout=20)
        assert (process.returncode, err) == (0, "")
        assert shown in out


def test_the_module_is_the_command() -> None:
    done = subprocess.run(
        [*COMMAND, "--version"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert re.fullmatch(r"poolse \d+\.\d+\S*\n", done.stdout)
