"""Generated files on disk. Only what changed is written; what nobody knows is never touched."""

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
    """Files in the folder that no run of the generator has put there."""


@attrs.frozen
class Plan:
    """What would have to be done to a folder."""

    folder: Path
    texts: Mapping[str, str]
    """Everything that should be there."""
    differing: tuple[str, ...]
    missing: tuple[str, ...]
    stale: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def drift(self) -> list[str]:
        """One line for each file that is not as it should be."""
        kinds = ("differing", "missing", "stale", "unknown")
        return sorted(f"{self.folder / n}: {kind}" for kind in kinds for n in getattr(self, kind))


def plan(
    folder: Path, texts: Mapping[str, str], spec_digest: str, printed: Mapping[str, str]
) -> Plan:
    """Compare the folder with what should be in it.

    Args:
        folder: The folder.
        texts: What should be in it, by name.
        spec_digest: Of the spec that it is generated from.
        printed: Printed modules beside the folder; the manifest lists them.
    """
    wanted = {**texts, MANIFEST: _manifest(texts, spec_digest, printed)}
    there = {path.name: path for path in folder.glob("*") if path.name != "__pycache__"}
    known = _listed(folder)
    beyond = sorted(there.keys() - wanted.keys())
    return Plan(
        folder=folder,
        texts=wanted,
        differing=tuple(
            name
            for name in sorted(wanted.keys() & there.keys())
            if there[name].read_bytes() != wanted[name].encode()
        ),
        missing=tuple(sorted(wanted.keys() - there.keys())),
        stale=tuple(name for name in beyond if name in known),
        unknown=tuple(name for name in beyond if name not in known),
    )


def plan_file(path: Path, text: str) -> Plan:
    """The same for one file in a folder whose other files are none of our business."""
    there = path.exists()
    differs = there and path.read_bytes() != text.encode()
    return Plan(
        folder=path.parent,
        texts={path.name: text},
        differing=(path.name,) if differs else (),
        missing=() if there else (path.name,),
        stale=(),
        unknown=(),
    )


def apply(todo: Plan) -> list[str]:
    """Do it.

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
    """The files that an earlier run has put there."""
    path = folder / MANIFEST
    if not path.exists():
        return set()
    # Not as JSON: two branches may have met in it, and to run again is what ends that.
    return set(re.findall(r'^\s*"([^"/]+)": "[0-9a-f]*",?$', path.read_text("utf-8"), re.MULTILINE))
