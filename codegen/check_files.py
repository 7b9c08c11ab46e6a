"""What x-sdk says of methods that carry the bytes of files."""

from __future__ import annotations

from collections.abc import Collection

from codegen.diagnostics import Diagnostics
from codegen.resource_paths import bound_at
from codegen.spec import Call, Spec, path_names
from codegen.yaml_source import Node

__all__ = ["check_download", "check_upload", "look_up"]


def check_upload(spec: Spec, call: Call, mistakes: Diagnostics) -> None:
    """What sends them: that it has a place to send them to, and all that it must say of them."""
    rule = call.sdk.get("upload")
    if not rule:
        return
    if path_names(call.path):
        mistakes.add(rule.mark, "'upload' needs a path without values")
    request = spec.request_schema(call)
    answer = _fields(spec, spec.answer_schema(call))
    named = [rule.text(key) for key in ("content_type", "size", "filename")]
    for key in ("content_type", "size", "filename"):
        look_up(rule, key, request.get("properties").mapping, "the request", mistakes)
    for key in ("target", "result"):
        look_up(rule, key, answer.mapping, "the answer", mistakes)
    for name in request.get("required").strings():
        if name not in named:
            mistakes.add(rule.mark, f"'upload' does not fill the required field {name!r}")
    target = _fields(spec, answer.get(rule.text("target"))).mapping
    for name in ("url", "method", "headers"):
        if target and name not in target:
            mistakes.add(rule.get("target").mark, f"a place to upload to needs {name!r}")


def check_download(spec: Spec, call: Call, mistakes: Diagnostics) -> None:
    """What fetches them: that it knows where from, and what they should be."""
    rule = call.sdk.get("download")
    if not rule:
        return
    row = spec.row_schema(call)
    if not row:
        text = f"'download' needs a resource with a row, which {call.sdk.text('resource')!r} is not"
        mistakes.add(rule.mark, text)
    taken = [parameter.text("name") for parameter in call.parameters]
    if set(taken) - set(bound_at(call.sdk.text("resource"))) or call.node.get("requestBody"):
        mistakes.add(rule.mark, "'download' needs a method without parameters")
    look_up(rule, "url", _fields(spec, spec.answer_schema(call)).mapping, "the answer", mistakes)
    for key, kind in (("size", "integer"), ("sha256", "string")):
        fields = _fields(spec, row)
        if row:
            look_up(rule, key, fields.mapping, "the row", mistakes)
        found = spec.resolve(fields.get(rule.text(key)))
        if found and kind not in (found.text("type"), *found.get("type").strings()):
            mistakes.add(rule.get(key).mark, f"{rule.text(key)!r} is no {kind}")


def _fields(spec: Spec, schema: Node) -> Node:
    return spec.resolve(schema).get("properties")


def look_up(
    rule: Node, key: str, fields: Collection[str], where: str, mistakes: Diagnostics
) -> None:
    """The rule names one of the fields."""
    name = rule.text(key)
    if name and name not in fields:
        mistakes.unknown(rule.get(key).mark, f"no {name!r} in {where}", name, fields)
