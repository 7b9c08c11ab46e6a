"""Mistakes in a spec, all at once. What passes here, `build` can build."""

from __future__ import annotations

from codegen.check_calls import check_calls
from codegen.check_documents import check_documents
from codegen.check_events import check_events
from codegen.check_grammar import check_grammar
from codegen.check_methods import check_methods
from codegen.check_names import check_names
from codegen.check_old import check_old
from codegen.check_schemas import check_schemas
from codegen.mistakes import Mistakes
from codegen.spec import Spec

__all__ = ["check"]


def check(spec: Spec, mistakes: Mistakes) -> None:
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
