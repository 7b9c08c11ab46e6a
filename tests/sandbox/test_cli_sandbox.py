"""`poolse sandbox`, as a process of its own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from poolse.cli import main
from poolse.cli.sandbox_banner import Started, banner
from poolse.testing import Sandbox
from tests.sandbox.sandbox_process import running

PLAIN = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
"""The environment, without a proxy that would stand before this machine."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal(number: signal.Signals) -> None:
    with running("--port", "0") as told:
        process, url, key = told.process, told.url, told.exported["POOLSE_API_KEY"][0]
        (token,) = told.exported["POOLSE_TOKEN"]
        assert me(url, token)["external_id"] == "alice"
        headers = {"authorization": f"Bearer {key}"}
        body = {"external_id": "carol"}
        answer = httpx.post(f"{url}/v1/users", json=body, headers=headers, trust_env=False)
        assert answer.status_code == 201
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
        assert (process.returncode, out.strip(), err) == (0, "", "")


def me(url: str, token: str, verify: bool = True) -> dict[str, object]:
    headers = {"authorization": f"Bearer {token}"}
    answer = httpx.get(f"{url}/v1/me", headers=headers, verify=verify, trust_env=verify)
    row: dict[str, object] = answer.json()
    return row


def test_with_tls_and_a_file(tmp_path: Path) -> None:
    ids: list[object] = []
    for _ in range(2):
        with running("--port", "0", "--tls", "--data", str(tmp_path / "data.db")) as told:
            assert told.url.startswith("https://")
            assert Path(told.exported["SSL_CERT_FILE"][0]).read_text().startswith("-----BEGIN")
            ids.append(me(told.url, told.exported["POOLSE_TOKEN"][0], verify=False)["id"])
            assert f"stored in {tmp_path / 'data.db'}" in told.lines[2]
    assert ids[0] == ids[1]


NAMES = ["zoe; touch /tmp/x", "o'brien\ntouch x", "carol"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize("users", [["alice", "bob"], NAMES, ["carol"]])
def test_all_of_it_can_be_pasted_into_a_shell(
    sandbox: Sandbox, tmp_path: Path, users: list[str]
) -> None:
    conversations = {"Team\ntouch y": "1", "Support; " * 20: "2"}
    text = banner(
        Started(sandbox=sandbox, users=users, conversations=conversations, data=tmp_path / "my db")
    )
    show = 'echo "$POOLSE_API_URL $POOLSE_API_KEY $CONV"; echo "$POOLSE_TOKEN"'
    done = subprocess.run(
        ["bash", "--norc", "-c", f"{text}\n{show}"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=PLAIN,
    )
    first, token = done.stdout.splitlines()
    assert (first, done.stderr) == (f"{sandbox.url} {sandbox.api_key} 1", "")
    assert me(sandbox.url, token)["external_id"] == users[0]
    assert [*tmp_path.iterdir()] == []
    lines = text.splitlines()
    assert all(len(line) <= 80 for line in lines if "export" not in line and "my db" not in line)
    assert text.count("  export POOLSE_TOKEN=") == 1


def test_another_user_is_one_command_away() -> None:
    with running("--port", "0", "--user", "alice", "--user", "o'brien") as told:
        assert len(told.lines) <= 13
        assert f"open {told.url} in a browser" in told.lines[2]
        assert "\x1b" not in "".join(told.lines)
        comment = next(line for line in told.lines if "as another user" in line)
        command = comment.partition(": ")[2].replace("poolse", f"{sys.executable} -m poolse.cli")
        known = {name: values[0] for name, values in told.exported.items()}
        script = f"{command}; echo $POOLSE_TOKEN"
        done = subprocess.run(
            ["sh", "-c", script], capture_output=True, text=True, check=True, env=PLAIN | known
        )
        assert me(told.url, done.stdout.strip())["external_id"] == "o'brien"


def test_a_terminal_gets_a_bold_title(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[1mpoolse sandbox\x1b[0m" in banner(Started(sandbox=sandbox))
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in banner(Started(sandbox=sandbox))


HEAVY = (
    *("aiohttp", "cattrs", "cryptography", "httpx", "jsonschema", "jwt", "rich", "trustme"),
    *("poolse.client", "poolse._core", "poolse._http", "poolse._realtime"),
)

START = f"""
import sys
from poolse.cli.sandbox_banner import Started, banner
from poolse.testing import Sandbox
with Sandbox() as sandbox:
    assert banner(Started(sandbox=sandbox))
    print(sorted({{*sys.modules}} & {{*{HEAVY!r}}}))
"""


def test_it_starts_without_what_takes_long_to_load() -> None:
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def unwrapped(text: str) -> str:
    """A message in one line."""
    return " ".join(text.split())


def test_a_port_that_is_taken_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["sandbox", "--port", str(taken.getsockname()[1])]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(
        r"poolse: cannot listen on host '127\.0\.0\.1', port [0-9]+: .*in use "
        r"> another program uses it.* --port 0 takes a free port",
        unwrapped(err),
    )


def test_a_file_that_cannot_be_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["sandbox", "--port", "0", "--data", str(tmp_path / "no" / "data.db")]) == 1
    said = rf"poolse: cannot use the data file: .* the folder {tmp_path}/no does not exist.*"
    assert re.fullmatch(said, unwrapped(capsys.readouterr().err))


def test_a_missing_extra_is_one_line() -> None:
    code = (
        "import sys; sys.modules['uvicorn'] = None; "
        "from poolse.cli import main; sys.exit(main(['sandbox']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"poolse: .*pip install 'poolse\[sandbox\]'", unwrapped(done.stderr))


@pytest.mark.parametrize("arguments", [["nosuch"], ["sandbox", "--port", "70000"]])
def test_wrong_arguments_exit_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: poolse" in capsys.readouterr().err


def test_signal_handlers_are_put_back(sandbox: Sandbox) -> None:
    before = signal.getsignal(signal.SIGTERM)
    port = sandbox.url.rpartition(":")[2]
    assert main(["sandbox", "--port", port]) == 1
    assert signal.getsignal(signal.SIGTERM) is before
