"""`poolse sandbox -- COMMAND`, `--env`, fixed keys, users, a seed and the request log."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from poolse.cli.seed import EXAMPLE, read_seed
from poolse.testing import Sandbox
from tests.cli.run_command import COMMAND, ROOT, Called, Command
from tests.cli.terminal import on_terminal, visible

SEED = """
[[users]]
external_id = "bob"
display_name = "Bob"

[[conversations]]
name = "Team"
members = ["alice", "bob"]
messages = [{ from = "alice", body = "Hello" }, { from = "bob", body = "Hi" }]
"""

SHOW = "import json, os; print(json.dumps({k: v for k, v in os.environ.items()}))"


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run `poolse sandbox` to its end."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("POOLSE")}
    return subprocess.run(
        [*COMMAND, "sandbox", *arguments],
        env={**plain, "PYTHONPATH": str(ROOT), "POOLSE_CONFIG": "", **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_command_runs_with_the_environment_and_ends_it() -> None:
    done = run("--", sys.executable, "-c", SHOW, POOLSE_PROFILE="other", POOLSE_TOKEN_FILE="x")
    assert (done.returncode, done.stderr) == (0, "")
    known = json.loads(done.stdout)
    assert known["POOLSE_API_KEY"].startswith("pk_live_")
    assert {"POOLSE_PROFILE", "POOLSE_TOKEN_FILE"} & known.keys() == set()
    with pytest.raises(httpx.ConnectError):
        httpx.get(known["POOLSE_API_URL"], trust_env=False)


def test_other_commands_of_poolse_work_in_it(tmp_path: Path) -> None:
    (tmp_path / "seed.toml").write_text(SEED)
    inner = f"{sys.executable} -m poolse.cli"
    script = f"{inner} whoami && {inner} tail $CONV --count 2 && {inner} members list $CONV"
    done = run("--tls", "--seed", str(tmp_path / "seed.toml"), "--", "sh", "-c", script)
    assert (done.returncode, done.stderr) == (0, "")
    assert "external ID  alice\n" in done.stdout
    assert "#1  alice  Hello\n" in done.stdout
    assert "#2  " in done.stdout


@pytest.mark.parametrize(
    ("script", "code"), [("exit 7", 7), ("kill -TERM $$", 143), ("kill -KILL $$", 137)]
)
def test_the_exit_code_is_passed_on(script: str, code: int) -> None:
    done = run("sh", "-c", script)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    done = run("--", "no-such-command")
    assert (done.returncode, done.stderr) == (127, "poolse: command not found: no-such-command\n")
    done = run("--", str(tmp_path))
    assert done.returncode == 126
    assert "Permission denied" in done.stderr


SLEEPER = """
import os, signal, sys, time
def end(number, frame):
    os.write(1, f"ended by {number}\\n".encode())
    sys.exit(5)
signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGINT, end)
os.write(1, b"ready\\n")
time.sleep(60)
"""


def test_sigterm_is_forwarded(command: Command) -> None:
    with command.process("sandbox", "--", sys.executable, "-c", SLEEPER) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (5, f"ended by {signal.SIGTERM:d}\n", "")


def test_ctrl_c_is_the_commands(command: Command) -> None:
    arguments = ("sandbox", "--", sys.executable, "-c", SLEEPER)
    with on_terminal(command, *arguments) as terminal:
        terminal.wait_for("ready")
        terminal.type("\x03")
        terminal.wait_for(f"ended by {signal.SIGINT:d}")
        assert terminal.end() == 5


@pytest.mark.skipif(os.name != "posix", reason="`eval` is of a shell")
def test_env_is_for_eval_and_the_sandbox_stays(tmp_path: Path) -> None:
    inner = f"{sys.executable} -m poolse.cli"
    script = f"""
        eval "$({inner} sandbox --env --user zoe --api-key pk_fixed)"
        {inner} whoami --json
        {inner} token zoe > /dev/null && echo "$POOLSE_API_KEY"
        kill $POOLSE_SANDBOX_PID
    """
    done = subprocess.run(
        ["sh", "-c", script],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "POOLSE_CONFIG": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    first, second = done.stdout.splitlines()
    assert json.loads(first)["external_id"] == "zoe"
    assert second == "pk_fixed"
    assert re.search(r"kill [0-9]+ ends it\n$", done.stderr)


@pytest.mark.skipif(os.name != "posix", reason="`eval` is of a shell")
def test_env_names_an_earlier_sandbox_that_still_runs(command: Command) -> None:
    with in_background(command) as (known, called):
        number = known["POOLSE_SANDBOX_PID"]
        assert called.out.endswith(f"# kill {number} ends the sandbox\n")
        with in_background(command, **known) as (_, second):
            assert second.err.endswith(f"an earlier one still runs: kill {number} ends it\n")
        # Its process ID may be of another program when it has ended.
        known["POOLSE_API_URL"] = "http://127.0.0.1:1"
        with in_background(command, **known) as (_, third):
            assert "earlier" not in third.err


@contextmanager
def in_background(
    command: Command, *options: str, **environ: str
) -> Generator[tuple[dict[str, str], Called]]:
    """Start a sandbox with `--env`, and end it."""
    called = command("sandbox", "--env", *options, **environ)
    lines = [line for line in called.out.splitlines() if line.startswith("export ")]
    known = dict(line.removeprefix("export ").split("=", 1) for line in lines)
    try:
        yield known, called
    finally:
        os.kill(int(known["POOLSE_SANDBOX_PID"]), signal.SIGTERM)


def test_env_starts_nothing_on_a_terminal(command: Command) -> None:
    with on_terminal(command, "sandbox", "--env") as terminal:
        assert terminal.end() == 2
    assert 'eval "$(poolse sandbox --env)"\n' in visible(terminal.raw)
    assert "export" not in terminal.raw
    assert 'eval "$(poolse sandbox --env)"\n' in command("sandbox", "--help").out


def test_a_shell_on_a_terminal_says_where_it_is_and_how_another_joins(command: Command) -> None:
    with on_terminal(command, "sandbox", "--", "sh") as terminal:
        terminal.wait_for("in another terminal: . ")
        first = visible(terminal.raw).splitlines()[0]
        assert re.fullmatch(r"poolse: you are alice at http://[0-9.:]+ until sh ends", first)
        terminal.wait_for("/env\n")
        file = visible(terminal.raw).partition("terminal: . ")[2].split()[0]
        assert Path(file).parent.stat().st_mode & 0o077 == 0
        script = f". {file} && {sys.executable} -m poolse.cli whoami"
        joined = subprocess.run(
            ["sh", "-c", script],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "POOLSE_CONFIG": ""},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert "external ID  alice\n" in joined.stdout
        terminal.type("exit 3\n")
        assert terminal.end() == 3
    assert not Path(file).exists()
    with on_terminal(command, "sandbox", "--", "no-such-command") as terminal:
        assert terminal.end() == 127
    assert "you are" not in terminal.raw


def test_env_reports_why_it_did_not_start(sandbox: Sandbox, command: Command) -> None:
    called = command("sandbox", "--env", "--port", sandbox.url.rpartition(":")[2])
    assert (called.code, called.out) == (1, "")
    assert "in use" in called.said
    assert "--port 0 takes a free port" in called.said
    assert command("sandbox", "--env", "--", "ls").code == 2


@pytest.mark.parametrize("arguments", [(), ("--", "sleep", "60")])
def test_a_closed_window_leaves_no_files(
    command: Command, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "tmp").mkdir()
    options = ("--port", "0", "--tls", "--log", *arguments)
    with on_terminal(command, "sandbox", *options, TMPDIR=str(tmp_path / "tmp")) as terminal:
        terminal.wait_for("/env\n" if arguments else "sandbox --env")
        assert [*(tmp_path / "tmp").iterdir()] != []
        assert terminal.hang_up() == 129
    assert [*(tmp_path / "tmp").iterdir()] == []


def test_nohup_is_obeyed(command: Command) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        command.said("One")
        with command.process("tail", command.conversation, "--count", "2") as process:
            assert process.stdout is not None
            assert process.stdout.readline().endswith("One\n")
            process.send_signal(signal.SIGHUP)
            command.said("Hello")
            out, _ = process.communicate(timeout=20)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert process.returncode == 0
    assert "Hello" in out


def test_a_fixed_key_gives_the_same_tokens_again(tmp_path: Path) -> None:
    options = ("--api-key", "pk_dev", "--user", "bot", "--", sys.executable, "-c", SHOW)
    first, second = (json.loads(run(*options).stdout) for _ in range(2))
    assert first["POOLSE_TOKEN"] == second["POOLSE_TOKEN"]
    other = json.loads(run("--api-key", "pk_other", *options[2:]).stdout)
    assert first["POOLSE_TOKEN"] != other["POOLSE_TOKEN"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "cannot read the seed file"),
        ("users =", "is not TOML"),
        ("people = []", "unknown key 'people' in .*: expected one of users, conversations"),
        ("[[users]]\nname = 'x'", "unknown key 'name' in user 1 in "),
        ("[[users]]", "user 1 in .* has no external_id"),
        ("[[conversations]]\nmembers = 'bob'", "members of conversation 1 in .* must be a list"),
        ("[[conversations]]\nmembers = []", "members of conversation 1 in .* is empty"),
        (
            "[[conversations]]\nmembers = ['a']\nmessages = ['x']",
            "must be a table > for example: use",
        ),
        ("users = ['x']", r"user 1 in .* must be a table > for example: users = \[{ external_id"),
    ],
)
def test_a_seed_that_is_invalid(
    command: Command, tmp_path: Path, text: str | None, complaint: str
) -> None:
    path = tmp_path / "seed.toml"
    if text is not None:
        path.write_text(text)
    called = command("sandbox", "--port", "0", "--seed", str(path), "true")
    assert (called.code, called.out) == (2, "")
    assert re.search(complaint, called.said), called.err


def test_the_example_of_the_help_is_a_seed(command: Command, tmp_path: Path) -> None:
    example = " ".join(command("sandbox", "--help").out.split()).partition("such as ")[2]
    (tmp_path / "seed.toml").write_text(example.partition(". See")[0])
    done = run("--seed", str(tmp_path / "seed.toml"), "--", sys.executable, "-c", SHOW)
    assert json.loads(done.stdout)["CONV"]


def test_a_seed_is_sown_once_in_a_data_file(tmp_path: Path) -> None:
    (tmp_path / "seed.toml").write_text(SEED)
    options = ["--seed", str(tmp_path / "seed.toml"), "--data", str(tmp_path / "chat.db")]
    first, second = (
        json.loads(run(*options, "--", sys.executable, "-c", SHOW).stdout)["CONV"] for _ in range(2)
    )
    assert first == second


def test_origins_of_web_pages_can_be_chosen(command: Command) -> None:
    page = "http://localhost:5173"
    with in_background(command, "--cors-origin", page) as (known, _):
        for origin, allowed in ((page, page), ("http://localhost:1", None)):
            url = f"{known['POOLSE_API_URL']}/v1/me"
            answer = httpx.get(url, headers={"origin": origin}, trust_env=False)
            assert answer.headers.get("access-control-allow-origin") == allowed


def test_requests_are_logged_on_a_terminal(command: Command) -> None:
    with on_terminal(command, "sandbox", "--port", "0", "--user", "zoe") as terminal:
        terminal.wait_for("sandbox --env")
        url = terminal.raw.partition("POOLSE_API_URL=")[2].split()[0]
        token = terminal.raw.partition("POOLSE_TOKEN=")[2].split()[0]
        headers = {"authorization": f"Bearer {token}"}
        httpx.get(f"{url}/v1/conversations?secret=1", headers=headers, trust_env=False)
        terminal.wait_for("GET     200  /v1/conversations?...")
        terminal.type("\x03")
        assert terminal.end() == 0
    assert "secret=1" not in terminal.raw


def test_requests_are_not_logged_beside_a_command(command: Command) -> None:
    whoami = (*COMMAND[:1], "-m", "poolse.cli", "whoami")
    assert run("--", *whoami).stderr == ""
    assert "GET     200  /v1/me\n" in run("--log", "--", *whoami).stderr


def test_the_example_in_errors_is_a_seed(tmp_path: Path) -> None:
    path = tmp_path / "seed.toml"
    path.write_text(EXAMPLE.removeprefix("for example: ").replace(" and ", "\n"))
    assert [*read_seed(path)] == ["users", "conversations"]
