"""`poolse sandbox --seed FILE`: users, conversations and messages to start with."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from poolse.cli.failure import USAGE, Failure

if TYPE_CHECKING:
    from poolse.testing import Sandbox

__all__ = ["read_seed", "sow"]

EXAMPLE: Final = (
    'for example: users = [{ external_id = "alice" }] and '
    'conversations = [{ members = ["alice", "bob"] }]'
)


def read_seed(path: Path) -> Mapping[str, Any]:
    """Read a seed file.

    Raises:
        Failure: It cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise Failure(f"cannot read the seed file {path}: {error.strerror}", USAGE) from None
    except ValueError as error:  # TOML, and UTF-8
        raise Failure(f"the seed file {path} is not TOML: {error}", USAGE) from None


def sow(path: Path, seed: Mapping[str, Any], sandbox: Sandbox) -> dict[str, str]:
    """Create what the seed of a file has, and return the IDs of the conversations by name.

    Raises:
        Failure: It is invalid.
    """
    try:
        return sandbox.seed(seed)
    except ValueError as error:
        raise Failure(f"{path}: {error}", USAGE, EXAMPLE) from None
