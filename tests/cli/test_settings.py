"""Config file, environment, flags: each outranks the one before."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from poolse.cli.failure import USAGE, Failure
from poolse.cli.settings import Settings, config_file, settings

SECRET = "pk_live_secret"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The config file, which is not there yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = config_file()
    path.parent.mkdir()
    return path


def write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    path.chmod(0o600)


def token_of(known: Settings) -> str | None:
    return None if known.token is None else known.token.read()


ENVIRON = {"POOLSE_API_URL": "http://environ", "POOLSE_TOKEN": "environ"}
CONFIG = 'api_url = "http://file"\ntoken = "file"'
FLAGS = {"api_url": "http://flag"}


@pytest.mark.parametrize(
    ("environ", "config", "flags", "url", "token"),
    [
        ({}, "", {}, None, None),
        (ENVIRON, "", {}, "http://environ", "environ"),
        ({"POOLSE_API_URL": "", "POOLSE_TOKEN": ""}, "", {}, None, None),
        ({}, CONFIG, {}, "http://file", "file"),
        (ENVIRON, CONFIG, {}, "http://environ", "environ"),
        ({"POOLSE_TOKEN": "environ"}, CONFIG, {}, "http://file", "environ"),
        (ENVIRON, CONFIG, FLAGS, "http://flag", "environ"),
        ({}, "", FLAGS, "http://flag", None),
    ],
)
def test_each_outranks_the_one_before(
    file: Path,
    environ: dict[str, str],
    config: str,
    flags: dict[str, str],
    url: str | None,
    token: str | None,
) -> None:
    write(file, config)
    known = settings(environ, flags)
    assert (known.api_url, token_of(known)) == (url, token)


@pytest.mark.parametrize("higher", ["environ", "config", "flag"])
def test_a_file_with_a_token_outranks_a_lower_token(
    file: Path, tmp_path: Path, higher: str
) -> None:
    (tmp_path / "token").write_text("  kept\n", "utf-8")
    path = str(tmp_path / "token")
    write(file, "")
    environ: dict[str, str] = {}
    flags: dict[str, str] = {}
    match higher:
        case "environ":
            environ = {"POOLSE_TOKEN_FILE": path}
            write(file, 'token = "file"')
        case "config":
            write(file, 'token_file = "../token"')
        case _:
            write(file, 'token = "file"')
            environ = {"POOLSE_TOKEN": "environ"}
            flags = {"token_file": path}
    assert token_of(settings(environ, flags)) == "kept"


def test_a_token_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("first", "utf-8")
    known = settings({}, {"token_file": str(path), "config": ""})
    assert token_of(known) == "first"
    path.write_text("second", "utf-8")
    assert token_of(known) == "second"


def test_a_token_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("piped\n"))
    known = settings({"POOLSE_TOKEN": "environ"}, {"token_file": "-", "config": ""})
    assert token_of(known) == "piped"


def test_a_profile_stands_for_itself(file: Path) -> None:
    write(
        file,
        'api_url = "http://main"\ntoken = "main"\nnames.u1 = "Ada"\n'
        '[profiles.local]\napi_url = "http://local"',
    )
    local = settings({}, {"profile": "local"})
    assert (local.api_url, local.token) == ("http://local", None), "a secret went elsewhere"
    assert local.names == {"u1": "Ada"}
    assert settings({"POOLSE_PROFILE": "local"}, {}).api_url == "http://local"
    assert settings({}, {}).api_url == "http://main"


def test_a_profile_that_a_flag_names_outranks_the_environment(file: Path) -> None:
    write(file, '[profiles.local]\napi_url = "http://local"\ntoken = "local"')
    local = settings(ENVIRON, {"profile": "local"})
    assert (local.api_url, token_of(local)) == ("http://local", "local")
    local = settings({**ENVIRON, "POOLSE_PROFILE": "local"}, {})
    assert (local.api_url, token_of(local)) == ("http://environ", "environ")


@pytest.mark.parametrize(
    ("environ", "flags", "source"),
    [
        ({}, {"config": ""}, "the default"),
        (ENVIRON, {}, "POOLSE_API_URL"),
        (ENVIRON, FLAGS, "--api-url"),
        ({}, {}, "api_url of "),
    ],
)
def test_the_source_of_the_address_is_known(
    file: Path, environ: dict[str, str], flags: dict[str, str], source: str
) -> None:
    write(file, CONFIG)
    assert settings(environ, flags).api_url_source.startswith(source)


def test_another_file_or_none(file: Path, tmp_path: Path) -> None:
    write(file, CONFIG)
    other = tmp_path / "other.toml"
    write(other, 'api_url = "http://other"')
    assert settings({"POOLSE_CONFIG": str(other)}, {}).api_url == "http://other"
    assert settings({"POOLSE_CONFIG": "nowhere"}, {"config": str(other)}).api_url == "http://other"
    assert settings({"POOLSE_CONFIG": ""}, {}) == Settings()


@pytest.mark.parametrize(
    ("config", "flags", "complaint"),
    [
        (
            "tokn = 'x'",
            {},
            "unknown setting 'tokn' in .*config.toml: expected one of api_url, ws_u",
        ),
        ("[profiles.a]\nx = 'x'", {}, r"unknown setting 'x' in \[profiles.a\] of"),
        ("profiles.a = 'x'", {}, r"profiles.a in .* must be a table: \[profiles.a\]"),
        ("names = 'x'", {}, "names in .* must be a table"),
        ("token = 7", {}, "token in .* must be a quoted string"),
        (f"token = {SECRET}", {}, r"is not TOML: Invalid value \(at line 1, column 9\)$"),
        ("", {"profile": "no"}, r"\[profiles.no\] not found in .*config.toml"),
        ("", {"config": "/no/such.toml"}, "config file /no/such.toml not found"),
        (
            f"token = '{SECRET}'\ntoken_file = 'x'",
            {},
            "token of .* and token_file of .* remove",
        ),
        ("", {"config": "/"}, "cannot read the config file /: Is a directory"),
    ],
)
def test_a_mistake_is_said_where_it_is(
    file: Path, config: str, flags: dict[str, str], complaint: str
) -> None:
    write(file, config)
    with pytest.raises(Failure, match=complaint) as failed:
        settings({}, flags)
    assert failed.value.exit_code == USAGE
    assert SECRET not in str(failed.value)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(None, "No such file"), (b"", "is empty"), (b"\xff", "is not a text file")],
)
def test_a_token_file_that_is_none(tmp_path: Path, content: bytes | None, complaint: str) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    known = settings({}, {"token_file": str(path), "config": ""})
    with pytest.raises(Failure, match=f"--token-file .*{complaint}"):
        token_of(known)


@pytest.mark.parametrize(
    ("mode", "warned"),
    [(0o644, True), (0o604, True), (0o640, True), (0o600, False), (0o400, False), (0o733, False)],
)
def test_secrets_that_others_can_read(
    file: Path, capsys: pytest.CaptureFixture[str], mode: int, warned: bool
) -> None:
    write(file, f"[profiles.a]\ntoken = '{SECRET}'")
    file.chmod(mode)
    settings({}, {"profile": "a"})
    err = capsys.readouterr().err
    assert (f"chmod 600 {file}" in err) is warned
    assert SECRET not in err


def test_settings_show_no_secret(file: Path) -> None:
    write(file, f"token = '{SECRET}'\napi_key = '{SECRET}'")
    assert SECRET not in repr(settings({}, {}))
