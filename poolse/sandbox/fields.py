"""Reading the fields of a request: each is either as it should be, or complained about."""

from __future__ import annotations

import re
from collections.abc import Sequence

from poolse.sandbox.jsontext import Json, JsonObject
from poolse.sandbox.refusals import Refusal

__all__ = ["Fields", "is_uuid"]

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_INVALID = "is invalid"


def is_uuid(value: object) -> bool:
    """Whether the value is a hyphenated uuid."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


class Fields:
    """The fields of one request body; unknown ones are ignored.

    Every method returns the field's value, or a harmless stand-in after a complaint. `check`
    comes last and raises when anything was complained about, so that one answer names all.
    """

    def __init__(self, body: JsonObject) -> None:
        self._body = body
        self._complaints: JsonObject = {}

    def complain(self, name: str, complaint: str) -> None:
        """Refuse the field; the first complaint about it counts."""
        self._complaints.setdefault(name, [complaint])

    def check(self) -> None:
        """Raise the `Refusal` that names every complaint."""
        if self._complaints:
            message = "the request has invalid fields"
            raise Refusal("validation_failed", message, self._complaints)

    def choice(self, name: str, allowed: Sequence[str], default: str | None = None) -> str:
        """One of the allowed words; required when there is no default."""
        value = self._body.get(name, default)
        if isinstance(value, str) and value in allowed:
            return value
        self.complain(name, "can't be blank" if value is None else _INVALID)
        return allowed[0]

    def required_text(self, name: str) -> str:
        """A string that is not blank."""
        text = self.text(name)
        if not (text and text.strip()):
            self.complain(name, "can't be blank")
        return text or ""

    def text(self, name: str) -> str | None:
        """A string, null or absent."""
        value = self._body.get(name)
        if value is None or isinstance(value, str):
            return value
        self.complain(name, _INVALID)
        return None

    def number(self, name: str) -> int | None:
        """A positive whole number of 32 bits, null or absent."""
        value = self._body.get(name)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31:
            return value
        self.complain(name, _INVALID)
        return None

    def uuid(self, name: str) -> str | None:
        """A uuid in lower case, or absent."""
        if name not in self._body:
            return None
        return next(iter(self._uuids(name, [self._body[name]])), None)

    def uuids(self, name: str) -> list[str]:
        """A list of uuids in lower case, each once; empty when absent."""
        return self._uuids(name, self._list(name))

    def texts(self, name: str) -> list[str]:
        """A list of strings, each once; empty when absent."""
        values = self._list(name)
        texts = [value for value in values if isinstance(value, str)]
        if len(texts) != len(values):
            self.complain(name, _INVALID)
        return list(dict.fromkeys(texts))

    def object(self, name: str) -> JsonObject:
        """A JSON object; empty when absent."""
        value = self._body.get(name, {})
        if isinstance(value, dict):
            return value
        self.complain(name, _INVALID)
        return {}

    def _list(self, name: str) -> list[Json]:
        value = self._body.get(name, [])
        if isinstance(value, list):
            return value
        self.complain(name, _INVALID)
        return []

    def _uuids(self, name: str, values: list[Json]) -> list[str]:
        uuids = [value.lower() for value in values if isinstance(value, str) and is_uuid(value)]
        if len(uuids) != len(values):
            self.complain(name, _INVALID)
        return list(dict.fromkeys(uuids))
