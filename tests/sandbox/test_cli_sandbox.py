"""`poolse sandbox`, as a process of its own."""

from __future__ import annotations

import json
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
from poolse.cli.sandbox import banner
from poolse.testing import Sandbox
from tests.sandbox.sandbox_process import running

PLAIN = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
"""The environment, without a proxy that would stand before this machine."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal(number: signal.Signals) -> None:
    with running("--port", "0") as told:
        process, url, key = told.process, told.url, told.exported["POOLSE_API_KEY"][0]
        names = [me(url, token)["external_id"] for token in told.exported["POOLSE_TOKEN"]]
        assert names == ["alice", "bob"]
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
            assert f"stored in {tmp_path / 'data.db'}" in told.lines[1]
    assert ids[0] == ids[1]


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("options", [[], ["--tls"]])
def test_the_curl_line_works_as_printed(options: list[str]) -> None:
    with running("--port", "0", *options) as told:
        minted = subprocess.run(
            ["sh", "-c", told.curl], capture_output=True, text=True, check=True, env=PLAIN
        )
        token = json.loads(minted.stdout)["token"]
        assert me(told.url, token, verify=False)["external_id"] == "alice"


@pytest.mark.parametrize("options", [[], ["--tls"]])
def test_the_python_line_works_as_printed(options: list[str]) -> None:
    with running("--port", "0", *options) as told:
        line = told.python.replace("python -c", f"{sys.executable} -W error -c")
        minted = subprocess.run(
            ["sh", "-c", line], capture_output=True, text=True, check=True, env=PLAIN
        )
        assert me(told.url, minted.stdout.strip(), verify=False)["external_id"] == "alice"


def test_it_is_short_and_plain_where_nobody_looks() -> None:
    with running("--port", "0") as told:
        assert len(told.lines) <= 15
        assert "\x1b" not in "".join(told.lines)


def test_a_terminal_gets_a_bold_title(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[1mpoolse sandbox\x1b[0m" in banner(sandbox, None, tls=False)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in banner(sandbox, None, tls=False)


HEAVY = (
    *("aiohttp", "cattrs", "cryptography", "httpx", "jsonschema", "jwt", "rich", "trustme"),
    *("poolse.client", "poolse._core", "poolse._http", "poolse._realtime"),
)

START = f"""
import sys
from poolse.cli.sandbox import banner
from poolse.testing import Sandbox
with Sandbox() as sandbox:
    assert banner(sandbox, None, tls=False)
    print(sorted({{*sys.modules}} & {{*{HEAVY!r}}}))
"""


def test_it_starts_without_what_takes_long_to_load() -> None:
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_port_that_is_taken_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["sandbox", "--port", str(taken.getsockname()[1])]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(
        r"poolse: cannot listen on host '127\.0\.0\.1', port [0-9]+: .*in use\n", err
    )


def test_a_file_that_cannot_be_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["sandbox", "--port", "0", "--data", str(tmp_path / "no" / "data.db")]) == 1
    assert re.fullmatch(r"poolse: cannot use the data file: .*\n", capsys.readouterr().err)


def test_a_missing_extra_is_one_line() -> None:
    code = (
        "import sys; sys.modules['uvicorn'] = None; "
        "from poolse.cli import main; sys.exit(main(['sandbox']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"poolse: .*pip install 'poolse\[sandbox\]'\n", done.stderr)


@pytest.mark.parametrize("arguments", [[], ["nosuch"], ["sandbox", "--port", "70000"]])
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
