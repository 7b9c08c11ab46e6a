"""Which values are IDs, of what, and which objects stand in for one."""

from __future__ import annotations

from codegen.naming import snake
from codegen.resource_paths import binds_of, class_name
from codegen.spec import Spec
from codegen.yaml_source import Node

__all__ = ["Ids", "kind_of"]


def kind_of(name: str) -> str:
    """What the value of a path with this name is the ID of."""
    return name.removesuffix("_id")


class Ids:
    """What the spec says of IDs.

    A string with `format: uuid` is an ID, and the end of its name says of what: `old_book_id` is
    that of a book. Where the name does not, `x-sdk.id_of` does, as for an ID of another form. An
    object stands in for the ID of its own kind: a row that is called like it, or has a field that
    says `id_of`, and the handle that binds it.
    """

    def __init__(self, spec: Spec) -> None:
        declared = list(spec.rest.get("x-sdk", "resources").items())
        self.handles = {
            kind_of(binds_of(address)): class_name(address, node)
            for address, node in declared
            if binds_of(address)
        }
        self.rows: dict[str, dict[str, str]] = {}
        """By kind: the classes of rows, and the field of each that has the ID."""
        self._paths = {
            kind_of(node.text("name"))
            for call in spec.calls()
            for node in call.parameters
            if node.text("in") == "path"
        }
        requests = {spec.request_schema(call).key for call in spec.calls()}
        for name, schema in spec.schemas():
            if name not in requests:
                self._add(name, spec.resolve(schema))
        for address, node in declared:
            if node.text("row"):
                self.rows.setdefault(kind_of(binds_of(address)), {})[node.text("row")] = "id"
        # Nothing takes the IDs of the other rows.
        taken = {*self.handles, *self._paths}
        self.rows = {kind: rows for kind, rows in self.rows.items() if kind.split(".")[0] in taken}
        self.segments = {
            node.text("name")
            for call in spec.calls()
            for node in call.parameters
            if node.text("in") == "path" and not self.of(node.text("name"), node.get("schema"))
        }
        """Names of values that are no IDs and stand in a path."""

    def _add(self, name: str, schema: Node) -> None:
        for field, node in schema.get("properties").items():
            kind = self._own_kind(name, field, node)
            if kind:
                self.rows.setdefault(kind, {})[name] = field

    def _own_kind(self, schema: str, field: str, node: Node) -> str:
        """What the object is known by this field as."""
        said = node.text("x-sdk", "id_of")
        if said:
            return said
        return snake(schema) if field == "id" and node.text("format") == "uuid" else ""

    def of(self, name: str, schema: Node) -> str | None:
        """What this is the ID of: "" when that is not known, None when it is no ID."""
        said = schema.text("x-sdk", "id_of")
        if said or schema.text("format") != "uuid":
            return said or None
        kinds = sorted({*self.handles, *self._paths, *self.rows}, key=len, reverse=True)
        words = f"_{name.removesuffix('s')}"
        return next((kind for kind in kinds if words.endswith(f"_{kind}_id")), "")

    def of_row(self, name: str) -> dict[str, str]:
        """The IDs that the objects of a class have: what each belongs to, and its field."""
        return {kind: rows[name] for kind, rows in self.rows.items() if name in rows}

    def annotation(self, kind: str) -> str:
        """What may be given for such an ID, but for handles."""
        return " | ".join(["str", "UUID", *self.rows.get(kind, {})])
