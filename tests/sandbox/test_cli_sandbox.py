"""`poolse sandbox`, as a process of its own."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from poolse.cli import main
from poolse.testing import Sandbox

COMMAND = [sys.executable, "-W", "error", "-m", "poolse.cli", "sandbox"]


@contextmanager
def running(*arguments: str) -> Generator[tuple[subprocess.Popen[str], dict[str, list[str]]]]:
    """The process, and what it exports, each name with its values."""
    pipe = subprocess.PIPE
    with subprocess.Popen([*COMMAND, *arguments], stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        exported: dict[str, list[str]] = {}
        while len(exported.get("POOLSE_TOKEN", ())) < 2:
            line = process.stdout.readline()
            assert line or process.poll() is None
            if found := re.fullmatch(r"  export (\w+)=(\S+)\n", line):
                exported.setdefault(found[1], []).append(found[2])
        try:
            yield process, exported
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal(number: signal.Signals) -> None:
    with running("--port", "0") as (process, exported):
        url, key = exported["POOLSE_API_URL"][0], exported["POOLSE_API_KEY"][0]
        names = [me(url, token)["external_id"] for token in exported["POOLSE_TOKEN"]]
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
        with running("--port", "0", "--tls", "--data", str(tmp_path / "data.db")) as (_, exported):
            url = exported["POOLSE_API_URL"][0]
            assert url.startswith("https://")
            assert Path(exported["SSL_CERT_FILE"][0]).read_text().startswith("-----BEGIN")
            ids.append(me(url, exported["POOLSE_TOKEN"][0], verify=False)["id"])
    assert ids[0] == ids[1]


def test_a_port_that_is_taken_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["sandbox", "--port", str(taken.getsockname()[1])]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"poolse: cannot listen: .*in use.*\n", err)


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
