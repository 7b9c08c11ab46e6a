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


def check(spec: Spec, mistakes: Diagnostics) -> None:
    """Add what is wrong with the spec to the mistakes. One that cannot be read is told already."""
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
        part(spec, mistakes)


def checked(folder: Path, shown: str = "") -> Spec:
    """The spec in a folder.

    Args:
        folder: Where it is.
        shown: How mistakes name the folder; left out: as seen from here, if it lies below.

    Raises:
        SpecError: It has mistakes.
    """
    mistakes = Diagnostics()
    spec = load_spec(folder, shown or _shown(folder), mistakes)
    check(spec, mistakes)
    mistakes.raise_if_any()
    return spec


def readable(folder: Path, shown: str = "") -> Spec:
    """The same for a spec that was good in its time: what is asked of one has changed since.

    Raises:
        SpecError: It is not there, or not YAML.
    """
    mistakes = Diagnostics()
    spec = load_spec(folder, shown or _shown(folder), mistakes)
    mistakes.raise_if_any()
    return spec


def _shown(folder: Path) -> str:
    here, folder = Path.cwd(), folder.resolve()
    return str(folder.relative_to(here) if folder.is_relative_to(here) else folder)
