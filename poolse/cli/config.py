"""The config file."""

from __future__ import annotations

import os
import stat
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import cast

import attrs
import click

from poolse.cli.failure import USAGE, Failure

__all__ = ["Config", "config_file", "read_config"]

Table = Mapping[str, object]


@attrs.frozen
class Config:
    """What a config file says."""

    path: Path
    said: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    names: Mapping[str, str] = attrs.field(factory=dict[str, str])


def config_file() -> Path:
    """Where the config file is, when nobody names another."""
    return Path(click.get_app_dir("poolse"), "config.toml")


def read_config(
    path: str | None, profile: str | None, keys: Sequence[str], secrets: Sequence[str]
) -> Config:
    """Read it: all that stands outside of profiles, or one profile.

    Args:
        path: The file; None is the usual place, where it may be missing, "" is no file at all.
        profile: Which `[profiles.…]` counts; None is none.
        keys: The settings that there are.
        secrets: Those of them that nobody else should read.

    Raises:
        Failure: A file that was named is not there, or it does not say what it should.
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
        raise Failure(f"there is no [profiles.{profile}] in {file}", USAGE)
    # A profile stands for itself: the secrets of one backend never go to another.
    chosen = cast(Table, profiles[profile]) if profile else table
    said = _texts({key: chosen[key] for key in keys if key in chosen}, file)
    return Config(file, said, names)


def _read(path: Path, *, required: bool) -> Table:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if required:
            raise Failure(f"there is no config file {path}", USAGE) from None
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
            raise Failure(f"unknown setting {key!r} in {where}: it takes {', '.join(keys)}", USAGE)


def _texts(table: Table, path: Path) -> dict[str, str]:
    for key, value in table.items():
        if not isinstance(value, str):
            raise Failure(f"{key} in {path} must be a text in quotes", USAGE)
    return cast("dict[str, str]", table)


def _has(secrets: Iterable[str], *tables: Table) -> bool:
    return any(name in table for name in secrets for table in tables)


def _warn_if_open(path: Path) -> None:
    if os.name == "posix" and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        print(f"poolse: others can read the secrets in {path}: chmod 600 {path}", file=sys.stderr)
