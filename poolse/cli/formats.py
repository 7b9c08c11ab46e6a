"""The formats of an export."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TextIO, cast

from poolse.cli.sanitize import json_text, sanitized

__all__ = ["FORMATS", "row_text"]

COLUMNS: Final = (
    *("sequence", "id", "inserted_at", "sender_id", "type", "thread_root_id", "reply_to_id"),
    *("body", "attachments", "edited_at", "deleted_at"),
)

FORMULA: Final = ("=", "+", "-", "@")
"""A cell that begins so is a formula to a spreadsheet, and some formulas do harm."""


def row_text(row: Mapping[str, object]) -> str:
    """A message as a line of JSON."""
    return json_text(row)


def write_jsonl(file: TextIO, rows: Iterable[str]) -> None:
    """One message a line, with all that the server told of it."""
    for text in rows:
        file.write(f"{text}\n")


def write_csv(file: TextIO, rows: Iterable[str]) -> None:
    """For spreadsheets: the main columns, and nothing in them that does anything."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for text in rows:
        row: dict[str, object] = json.loads(text)
        writer.writerow([_cell(row.get(name)) for name in COLUMNS])


FORMATS: Final = {"jsonl": write_jsonl, "csv": write_csv}


def _cell(value: object) -> str | int:
    if value is None:
        return ""
    if isinstance(value, int):
        return value
    if isinstance(value, list):
        value = ", ".join(map(_file_name, cast("Sequence[Mapping[str, object]]", value)))
    text = sanitized(str(value))
    return f"'{text}" if text.startswith(FORMULA) else text


def _file_name(attachment: Mapping[str, object]) -> str:
    return str(attachment.get("original_filename") or attachment["id"])
