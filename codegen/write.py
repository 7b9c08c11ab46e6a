"""Generated files on disk. Writes only what changed, and never touches unknown files."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

__all__ = [
    "Plan",
    "UnknownFilesError",
    "apply",
    "plan",
    "plan_file",
]

MANIFEST: Final = "manifest.json"


class UnknownFilesError(Exception):
    """The folder has files that the generator did not write."""


@attrs.frozen
class Plan:
    """The changes that a folder needs."""

    folder: Path
    texts: Mapping[str, str]
    """All files that belong there."""
    differing: tuple[str, ...]
    missing: tuple[str, ...]
    stale: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def drift(self) -> list[str]:
        """One line for each file that differs."""
        kinds = ("differing", "missing", "stale", "unknown")
        return sorted(f"{self.folder / n}: {kind}" for kind in kinds for n in getattr(self, kind))


def plan(
    folder: Path, texts: Mapping[str, str], spec_digest: str, printed: Mapping[str, str]
) -> Plan:
    """Compare a folder with the files that belong in it.

    Args:
        folder: The folder.
        texts: What should be in it, by name.
        spec_digest: Of the spec that it is generated from.
        printed: Printed modules beside the folder; the manifest lists them.
    """
    wanted = {**texts, MANIFEST: _manifest(texts, spec_digest, printed)}
    present = {path.name: path for path in folder.glob("*") if path.name != "__pycache__"}
    known = _listed(folder)
    beyond = sorted(present.keys() - wanted.keys())
    return Plan(
        folder=folder,
        texts=wanted,
        differing=tuple(
            name
            for name in sorted(wanted.keys() & present.keys())
            if present[name].read_bytes() != wanted[name].encode()
        ),
        missing=tuple(sorted(wanted.keys() - present.keys())),
        stale=tuple(name for name in beyond if name in known),
        unknown=tuple(name for name in beyond if name not in known),
    )


def plan_file(path: Path, text: str) -> Plan:
    """Compare one file in a folder, and ignore the others."""
    exists = path.exists()
    differs = exists and path.read_bytes() != text.encode()
    return Plan(
        folder=path.parent,
        texts={path.name: text},
        differing=(path.name,) if differs else (),
        missing=() if exists else (path.name,),
        stale=(),
        unknown=(),
    )


def apply(todo: Plan) -> list[str]:
    """Carry out a plan.

    Returns:
        One line for each file that was written or removed.

    Raises:
        UnknownFilesError: There are some; nothing was done.
    """
    if todo.unknown:
        listed = "\n".join(f"{todo.folder / name}: not a generated file" for name in todo.unknown)
        raise UnknownFilesError(listed)
    todo.folder.mkdir(parents=True, exist_ok=True)
    for name in (*todo.differing, *todo.missing):
        (todo.folder / name).write_bytes(todo.texts[name].encode())
    for name in todo.stale:
        (todo.folder / name).unlink()
    done = {"wrote": (*todo.differing, *todo.missing), "removed": todo.stale}
    return [f"{verb} {todo.folder / name}" for verb, names in done.items() for name in names]


def _manifest(texts: Mapping[str, str], spec_digest: str, printed: Mapping[str, str]) -> str:
    files, beside = (
        {name: hashlib.sha256(some[name].encode()).hexdigest() for name in sorted(some)}
        for some in (texts, printed)
    )
    content = {"spec": spec_digest, "files": files, "printed": beside}
    return json.dumps(content, indent=2) + "\n"


def _listed(folder: Path) -> set[str]:
    """Return the files that an earlier run wrote."""
    path = folder / MANIFEST
    if not path.exists():
        return set()
    # Not as JSON: two branches may have met in it, and to run again is what ends that.
    return set(re.findall(r'^\s*"([^"/]+)": "[0-9a-f]*",?$', path.read_text("utf-8"), re.MULTILINE))
