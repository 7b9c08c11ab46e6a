"""What a server may send: any JSON, and rows that are almost right."""

from __future__ import annotations

import json
import os
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from tests.json.sample_objects import A_TIME, ATTACHMENT, MESSAGE

__all__ = ["FUZZED", "almost_rows", "contents", "headers", "json_values"]

FUZZED = settings(max_examples=int(os.environ.get("POOLSE_FUZZ", "60")), deadline=None)
"""`make fuzz` asks for more examples."""

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**63)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([A_TIME, "2026-13-99T99:99:99Z", "+10000-01-01T00:00:00Z", "", "text"])
)

NAMES = st.sampled_from([*MESSAGE, *ATTACHMENT, "data", "token", "url", "upload", "metas", "id"])

json_values: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=20,
)


@st.composite
def almost_rows(draw: st.DrawFn) -> Any:
    """A message or an attachment, of which a few fields are something else or missing."""
    row = dict(draw(st.sampled_from([MESSAGE, ATTACHMENT])))
    for name in draw(st.lists(st.sampled_from([*row]), max_size=3)):
        row[name] = draw(json_values)
    for name in draw(st.lists(st.sampled_from([*row]), max_size=2, unique=True)):
        del row[name]
    around = draw(st.sampled_from(["alone", "list", "upload"]))
    if around == "list":
        return {"data": [MESSAGE, row]}
    return {"attachment": row, "upload": draw(json_values)} if around == "upload" else row


def _text(value: Any) -> bytes:
    return json.dumps(value).encode()


contents = (
    almost_rows().map(_text)
    | json_values.map(_text)
    | st.binary(max_size=60)
    | st.tuples(json_values, st.integers(0, 40)).map(lambda cut: _text(cut[0])[: cut[1]])
    | st.integers(1, 2000).map(lambda depth: b"[" * depth + b"1" * 30 + b"]" * depth)
)
"""The body of an answer."""

headers = st.dictionaries(
    st.sampled_from(["retry-after", "location", "x-request-id", "content-length"]),
    st.text(st.characters(max_codepoint=255), max_size=40)
    | st.sampled_from(["9" * 400, "Mon, 01 Jan 99999 00:00:00 GMT", "http://me:s3cret@h/p?q"]),
)
