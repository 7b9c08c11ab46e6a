"""The faults by name, read from `FaultControl`: its methods are the one table of faults.

Names, types and defaults are those of the signatures, descriptions those of the docstrings.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType
from typing import Any, Final, get_args, get_type_hints

from poolse.sandbox.fault_control import FaultControl
from poolse.sandbox.fault_limits import LIMITS, Limit
from poolse.sandbox.faults import Armed
from poolse.sandbox.strict_json import Json, JsonObject

__all__ = ["FaultArgument", "FaultKind", "arguments_of", "fault_kinds"]

_TYPES: Final[Mapping[type, str]] = {
    bool: "boolean",
    float: "number",
    int: "integer",
    str: "string",
}
"""Names in JSON schemas."""


@dataclass(frozen=True)
class FaultArgument:
    """An argument of a fault."""

    name: str
    type: str
    nullable: bool
    required: bool
    default: Json
    """None, too, if it is required."""
    description: str
    limit: Limit

    def schema(self) -> Mapping[str, Any]:
        """Return its JSON schema."""
        schema: dict[str, Any] = {"type": [self.type, "null"] if self.nullable else self.type}
        limits = {"minimum": self.limit.minimum, "maximum": self.limit.maximum}
        schema |= {name: limit for name, limit in limits.items() if limit is not None}
        if not self.required:
            schema["default"] = self.default
        return {**schema, "description": self.description}


@dataclass(frozen=True)
class FaultKind:
    """A method of `FaultControl`."""

    name: str
    description: str
    arguments: tuple[FaultArgument, ...]

    def apply(self, control: FaultControl, arguments: Mapping[str, object]) -> None:
        """Call the method."""
        whole = {one.name for one in self.arguments if one.type == "integer"}
        getattr(control, self.name)(
            # JSON knows only one kind of number, so 3.0 is 3.
            **{
                name: int(value) if name in whole and isinstance(value, float) else value
                for name, value in arguments.items()
            }
        )


@cache
def fault_kinds() -> Mapping[str, FaultKind]:
    """Return all faults by name."""
    return {
        name: _kind(name, method)
        for name, method in vars(FaultControl).items()
        if not name.startswith("_")
    }


def arguments_of(armed: Armed) -> JsonObject:
    """Return the arguments of a fault that is armed, without those that select requests."""
    values: dict[str, Any] = {**vars(armed.fault), "topic": armed.match.path}
    kind = fault_kinds()[armed.fault.kind]
    return {one.name: values[one.name] for one in kind.arguments if one.name in values}


def _kind(name: str, method: Any) -> FaultKind:  # noqa: ANN401
    hints = get_type_hints(method)
    description, descriptions = _documented(inspect.getdoc(method) or "")
    parameters = list(inspect.signature(method).parameters.values())[1:]
    arguments = (
        _argument(one, hints[one.name], descriptions.get(one.name, "")) for one in parameters
    )
    return FaultKind(name, description, tuple(arguments))


def _argument(
    parameter: inspect.Parameter,
    hint: Any,  # noqa: ANN401
    description: str,
) -> FaultArgument:
    types = set(get_args(hint)) or {hint}
    (kind,) = types - {NoneType}
    required = parameter.default is inspect.Parameter.empty
    return FaultArgument(
        name=parameter.name,
        type=_TYPES[kind],
        nullable=NoneType in types,
        required=required,
        default=None if required else parameter.default,
        description=description,
        limit=Limit() if kind is str else LIMITS.get(parameter.name, Limit()),
    )


def _documented(doc: str) -> tuple[str, dict[str, str]]:
    """Return the text of a docstring, and what it says of each argument."""
    text, _, arguments = doc.partition("\nArgs:\n")
    found = re.findall(r"^ {4}(\w+): (.+(?:\n {8}.+)*)", arguments, re.MULTILINE)
    return _flowing(text), {name: _flowing(words) for name, words in found}


def _flowing(text: str) -> str:
    """Return a text with a space in place of each line break inside of a paragraph."""
    paragraphs = (" ".join(one.split()) for one in text.strip().split("\n\n"))
    return "\n\n".join(paragraphs)
