"""Settings from flags, the environment and the config file, in order of precedence."""

from __future__ import annotations

import os
import stat
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, cast

import attrs
import click

from poolse.cli.failure import USAGE, Failure

__all__ = ["NOTHING_SET", "Credential", "Settings", "config_file", "settings"]

PLACES: Final = ("api_url", "ws_url")
SECRETS: Final = ("token", "api_key")
DEFAULT: Final = "the default"
NOTHING_SET: Final = (
    "no address, token or API key is set: `poolse sandbox -- bash` opens a shell with a backend "
    "on this machine and all three"
)
KEYS: Final = (*PLACES, *SECRETS, *(f"{name}_file" for name in SECRETS))


@attrs.frozen
class Config:
    """The values of a config file."""

    path: Path
    values: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    names: Mapping[str, str] = attrs.field(factory=dict[str, str])


@attrs.frozen
class Value:
    """A setting, and its source."""

    text: str = attrs.field(repr=False)
    source: str
    """Name for the user: `POOLSE_TOKEN`, `token in config.toml`, `--token-file`."""


Table = Mapping[str, object]
Layer = Mapping[str, Value]
"""The settings of one source, by key."""


@attrs.frozen
class Credential:
    """A token or an API key, or the path of its file."""

    source: str
    text: str = attrs.field(default="", repr=False)
    file: str | None = None

    def read(self) -> str:
        """Return the secret. A file is read each time, because it may be renewed.

        Raises:
            Failure: The file cannot be read, or is empty.
        """
        if self.file is None:
            return self.text
        try:
            text = Path(self.file).read_text("utf-8").strip()
        except OSError as error:
            raise Failure(f"cannot read {self.source}: {error.strerror}", USAGE) from None
        except UnicodeDecodeError:
            raise Failure(f"{self.source} is not a text file", USAGE) from None
        if not text:
            raise Failure(f"{self.source} is empty", USAGE)
        return text


@attrs.frozen(kw_only=True)
class Settings:
    """URLs of the backend, and the credentials."""

    api_url: str | None = None
    api_url_source: str = DEFAULT
    """Name of the source for the user, like `Credential.source`."""
    ws_url: str | None = None
    ws_url_source: str = DEFAULT
    token: Credential | None = None
    api_key: Credential | None = None
    names: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """Display names, by poolse ID or external ID of a user."""

    @property
    def nothing_set(self) -> bool:
        """Whether there is neither an address nor a credential: a beginner, in general."""
        return self.api_url is None and self.token is None and self.api_key is None


def settings(environ: Mapping[str, str], flags: Mapping[str, str]) -> Settings:
    """Return the settings of this call.

    Args:
        environ: The environment.
        flags: By the names of KEYS, and `config` and `profile`.

    Raises:
        Failure: A file is missing or invalid.
    """
    path = flags.get("config", environ.get("POOLSE_CONFIG"))
    profile = flags.get("profile") or environ.get("POOLSE_PROFILE")
    config = read_config(path, profile, KEYS, SECRETS)
    variables, file = _from_environment(environ), _from_config(config)
    # Each outranks those before it. A profile that a flag names counts as flags.
    layers: tuple[Layer, ...] = (
        *((variables, file) if flags.get("profile") else (file, variables)),
        {key: Value(flags[key], f"--{key.replace('_', '-')}") for key in KEYS if key in flags},
    )
    values = {key: value for layer in layers for key, value in layer.items()}
    unset = Value("", DEFAULT)
    token, api_key = (_credential(name, layers) for name in SECRETS)
    return Settings(
        api_url=values.get("api_url", unset).text or None,
        api_url_source=values.get("api_url", unset).source,
        ws_url=values.get("ws_url", unset).text or None,
        ws_url_source=values.get("ws_url", unset).source,
        token=token,
        api_key=api_key,
        names=config.names,
    )


def _from_environment(environ: Mapping[str, str]) -> Layer:
    variables = {key: f"POOLSE_{key.upper()}" for key in KEYS}
    # A variable that is empty counts as none, as in the library.
    return {key: Value(environ[name], name) for key, name in variables.items() if environ.get(name)}


def _from_config(config: Config) -> Layer:
    layer: dict[str, Value] = {}
    for key, text in config.values.items():
        # The names of files in it are relative to it.
        is_file = key.endswith("_file") and text != "-"
        value = str(config.path.parent / Path(text).expanduser()) if is_file else text
        layer[key] = Value(value, f"{key} of {config.path}")
    return layer


def _credential(name: str, layers: tuple[Layer, ...]) -> Credential | None:
    """Return the secret, or its file, from the layer with the higher precedence."""
    for layer in reversed(layers):
        secret, file = layer.get(name), layer.get(f"{name}_file")
        if secret is not None and file is not None:
            raise Failure(f"{secret.source} and {file.source} are both set: remove one", USAGE)
        if secret is not None:
            return Credential(secret.source, text=secret.text)
        if file is not None:
            return _from_file(file)
    return None


def _from_file(file: Value) -> Credential:
    if file.text != "-":
        return Credential(f"{file.source} ({file.text})", file=file.text)
    # It can be read only once.
    text = sys.stdin.read().strip()
    if not text:
        raise Failure(f"{file.source} is standard input, which is empty", USAGE)
    return Credential("standard input", text=text)


def config_file() -> Path:
    """Return the default path of the config file."""
    return Path(click.get_app_dir("poolse"), "config.toml")


def read_config(
    path: str | None, profile: str | None, keys: Sequence[str], secrets: Sequence[str]
) -> Config:
    """Read the config file: the top level, or one profile.

    Args:
        path: The file. None for the default path, where it may be missing; "" for no file.
        profile: Name of the `[profiles.…]` table to use; None for the top level.
        keys: Names of the known settings.
        secrets: Names of settings that only the owner of the file should be able to read.

    Raises:
        Failure: The file is missing or invalid.
    """
    file = Path(path) if path else config_file()
    table: Table = {} if path == "" else _read(file, required=path is not None)
    profiles = _table(table.get("profiles", {}), "profiles", file)
    for name, each in profiles.items():
        _check(_table(each, f"profiles.{name}", file), f"profiles.{name}", file, keys)
    _check(table, "", file, (*keys, "names", "profiles"))
    if _has(secrets, table, *(cast(Table, each) for each in profiles.values())):
        _warn_if_open(file)
    names = _texts(_table(table.get("names", {}), "names", file), file)
    if profile and profile not in profiles:
        raise Failure(f"[profiles.{profile}] not found in {file}", USAGE)
    # A profile stands for itself: the secrets of one backend never go to another.
    chosen = cast(Table, profiles[profile]) if profile else table
    values = _texts({key: chosen[key] for key in keys if key in chosen}, file)
    return Config(file, values, names)


def _read(path: Path, *, required: bool) -> Table:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if required:
            raise Failure(f"config file {path} not found", USAGE) from None
        return {}
    except OSError as error:
        raise Failure(f"cannot read the config file {path}: {error.strerror}", USAGE) from None
    except UnicodeDecodeError:
        raise Failure(f"the config file {path} is not UTF-8", USAGE) from None
    except tomllib.TOMLDecodeError as error:
        raise Failure(f"the config file {path} is not TOML: {error}", USAGE) from None


def _table(value: object, name: str, path: Path) -> Table:
    if not isinstance(value, dict):
        raise Failure(f"{name} in {path} must be a table: [{name}]", USAGE)
    return cast(Table, value)


def _check(table: Table, name: str, path: Path, keys: Sequence[str]) -> None:
    for key in table:
        if key not in keys:
            where = f"[{name}] of {path}" if name else str(path)
            raise Failure(
                f"unknown setting {key!r} in {where}: expected one of {', '.join(keys)}", USAGE
            )


def _texts(table: Table, path: Path) -> dict[str, str]:
    for key, value in table.items():
        if not isinstance(value, str):
            raise Failure(f"{key} in {path} must be a quoted string", USAGE)
    return cast("dict[str, str]", table)


def _has(secrets: Iterable[str], *tables: Table) -> bool:
    return any(name in table for name in secrets for table in tables)


def _warn_if_open(path: Path) -> None:
    if os.name == "posix" and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        print(f"poolse: others can read the secrets in {path}: chmod 600 {path}", file=sys.stderr)
