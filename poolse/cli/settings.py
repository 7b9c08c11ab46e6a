"""Which backend, and on whose behalf: environment, config file, flags, each above the last."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from poolse.cli.config import Config, read_config
from poolse.cli.failure import USAGE, Failure

__all__ = ["Credential", "Settings", "Value", "resolved", "settings"]

PLACES: Final = ("api_url", "ws_url")
SECRETS: Final = ("token", "api_key")
KEYS: Final = (*PLACES, *SECRETS, *(f"{name}_file" for name in SECRETS))


@attrs.frozen
class Value:
    """A setting, and where it was said."""

    text: str = attrs.field(repr=False)
    source: str
    """As its owner knows it: `POOLSE_TOKEN`, `token in config.toml`, `--token-file`."""


Layer = Mapping[str, Value]
"""What one source says, by key."""


@attrs.frozen
class Credential:
    """A token or an API key, or the file that has it."""

    source: str
    text: str = attrs.field(default="", repr=False)
    file: str | None = None

    def read(self) -> str:
        """The secret itself. A file is read anew each time: somebody may keep it fresh.

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
            raise Failure(f"{self.source} is no text file", USAGE) from None
        if not text:
            raise Failure(f"{self.source} is empty", USAGE)
        return text


@attrs.frozen(kw_only=True)
class Settings:
    """What is known about the backend, and about who is calling."""

    api_url: str | None = None
    ws_url: str | None = None
    token: Credential | None = None
    api_key: Credential | None = None
    names: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """Names to show, by the poolse id of a user or by yours."""


def settings(environ: Mapping[str, str], flags: Mapping[str, str]) -> Settings:
    """The settings of this call.

    Args:
        environ: The environment.
        flags: Those that were given: by the names of KEYS, and `config` and `profile`.

    Raises:
        Failure: A file that was named is not there, or does not say what it should.
    """
    path = flags.get("config", environ.get("POOLSE_CONFIG"))
    profile = flags.get("profile") or environ.get("POOLSE_PROFILE")
    config = read_config(path, profile, KEYS, SECRETS)
    return resolved(
        _from_environment(environ),
        _from_config(config),
        {key: Value(flags[key], f"--{key.replace('_', '-')}") for key in KEYS if key in flags},
        names=config.names,
    )


def resolved(*layers: Layer, names: Mapping[str, str]) -> Settings:
    """The settings of several layers: each outranks those before it."""
    said: dict[str, Value] = {}
    for layer in layers:
        said.update(layer)
    api_url, ws_url = (said[key].text if key in said else None for key in PLACES)
    token, api_key = (_credential(name, layers) for name in SECRETS)
    return Settings(api_url=api_url, ws_url=ws_url, token=token, api_key=api_key, names=names)


def _from_environment(environ: Mapping[str, str]) -> Layer:
    named = {key: f"POOLSE_{key.upper()}" for key in KEYS}
    # A variable that is empty counts as none, as in the library.
    return {key: Value(environ[name], name) for key, name in named.items() if environ.get(name)}


def _from_config(config: Config) -> Layer:
    layer: dict[str, Value] = {}
    for key, text in config.said.items():
        # The names of files in it are relative to it.
        is_file = key.endswith("_file") and text != "-"
        said = str(config.path.parent / Path(text).expanduser()) if is_file else text
        layer[key] = Value(said, f"{key} of {config.path}")
    return layer


def _credential(name: str, layers: tuple[Layer, ...]) -> Credential | None:
    """Of a secret and a file with it, that of the higher layer counts."""
    for layer in reversed(layers):
        secret, file = layer.get(name), layer.get(f"{name}_file")
        if secret is not None and file is not None:
            raise Failure(f"{secret.source} and {file.source} are both set: keep one", USAGE)
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
        raise Failure(f"{file.source} is standard input, and that is empty", USAGE)
    return Credential("standard input", text=text)
