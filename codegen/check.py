"""Diagnostics in a spec, all at once. What passes here, `build` can build."""

from __future__ import annotations

from pathlib import Path

from codegen.check_events import check_events
from codegen.check_names import check_names, check_old
from codegen.check_operations import check_calls, check_methods
from codegen.check_structure import check_documents, check_grammar, check_schemas
from codegen.spec import Spec, load_spec
from codegen.yaml_source import Diagnostics

__all__ = [
    "checked",
    "readable",
]


def check(spec: Spec, diagnostics: Diagnostics) -> None:
    """Return add what is wrong with the spec. Unreadable files have their diagnostics already."""
    if not (spec.rest and spec.events):
        return
    for part in (
        check_documents,
        check_grammar,
        check_schemas,
        check_calls,
        check_methods,
        check_events,
        check_old,
        check_names,
    ):
        part(spec, diagnostics)


def checked(folder: Path, name: str = "") -> Spec:
    """Load and check the spec in a folder.

    Args:
        folder: Where it is.
        shown: How diagnostics name the folder; left out: as seen from here, if it lies below.

    Raises:
        SpecError: It has diagnostics.
    """
    diagnostics = Diagnostics()
    spec = load_spec(folder, name or _shown(folder), diagnostics)
    check(spec, diagnostics)
    diagnostics.raise_if_any()
    return spec


def readable(folder: Path, name: str = "") -> Spec:
    """Load a spec that was valid in its release, without checking it by today's rules.

    Raises:
        SpecError: It is not there, or not YAML.
    """
    diagnostics = Diagnostics()
    spec = load_spec(folder, name or _shown(folder), diagnostics)
    diagnostics.raise_if_any()
    return spec


def _shown(folder: Path) -> str:
    here, folder = Path.cwd(), folder.resolve()
    return str(folder.relative_to(here) if folder.is_relative_to(here) else folder)
