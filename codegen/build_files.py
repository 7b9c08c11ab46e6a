"""Methods that carry the bytes of files, besides those that say where they go or are."""

from __future__ import annotations

from codegen.build_types import Types
from codegen.ir import Download, Many, Upload
from codegen.naming import constant
from codegen.spec import Call, Spec

__all__ = ["build_download", "build_upload"]


def build_upload(spec: Spec, call: Call, types: Types) -> Upload:
    """What sends them."""
    rule = call.sdk.get("upload")
    schema = spec.answer_schema(call)
    result = rule.text("result")
    many = rule.get("many")
    return Upload(
        const=f"{constant(call.node.text('operationId'))}_BYTES",
        method=rule.text("method"),
        summary=rule.text("summary"),
        answer=types.of(schema).result,
        target=rule.text("target"),
        result=result,
        result_type=types.of(spec.resolve(schema).get("properties", result)).result,
        content_type=rule.text("content_type"),
        size=rule.text("size"),
        filename=rule.text("filename"),
        example=rule.text("example"),
        many=Many(
            method=many.text("method"), summary=many.text("summary"), example=many.text("example")
        )
        if many
        else None,
    )


def build_download(spec: Spec, call: Call, types: Types) -> Download:
    """What fetches them."""
    rule = call.sdk.get("download")
    return Download(
        const=f"{constant(call.node.text('operationId'))}_BYTES",
        method=rule.text("method"),
        summary=rule.text("summary"),
        answer=types.of(spec.answer_schema(call)).result,
        url=rule.text("url"),
        row=types.of(spec.row_schema(call)).result,
        size=rule.text("size"),
        sha256=rule.text("sha256"),
        example=rule.text("example"),
    )
