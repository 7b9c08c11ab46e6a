"""Every error that the backend responds with, and the envelope around it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from poolse.sandbox.strict_json import Json, JsonObject

__all__ = ["STATUS", "ApiRefusal", "all_invalid", "code_of", "envelope", "invalid"]

STATUS: Mapping[str, int] = {
    "bad_request": 400,
    "invalid_api_key": 401,
    "invalid_user_token": 401,
    "forbidden": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "message_deleted": 410,
    "attachment_too_large": 413,
    "unsupported_media_type": 415,
    "user_not_found": 422,
    "validation_failed": 422,
    "lazy_provision_rate_limited": 429,
    "rate_limited": 429,
    "internal_error": 500,
    "service_unavailable": 503,
}
"""Code of the envelope to HTTP status. Of several codes of one status the last is the usual one."""

_CODES = {status: code for code, status in STATUS.items()}
_DOCS = "https://poolse.dev/docs/errors#"


class ApiRefusal(Exception):  # noqa: N818  (it is a response, not a bug)
    """The response is an error."""

    def __init__(
        self,
        code: str,
        message: str,
        details: JsonObject | None = None,
        *,
        allow: Collection[str] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status: int = STATUS[code]
        self.message = message
        self.details = details
        self.headers: dict[str, str] = {"allow": ", ".join(allow)} if allow else {}
        if retry_after is not None:
            self.headers["retry-after"] = str(retry_after)


def invalid(**complaints: str) -> ApiRefusal:
    """Return a 422 with what is wrong with each field."""
    return all_invalid({name: [complaint] for name, complaint in complaints.items()})


def all_invalid(complaints: Mapping[str, Sequence[str]]) -> ApiRefusal:
    """Return a 422 with several complaints about a field."""
    details: JsonObject = {name: [*texts] for name, texts in complaints.items()}
    return ApiRefusal("validation_failed", "the request has invalid fields", details)


def code_of(status: int) -> str:
    """Return the usual code of a status."""
    return _CODES.get(status, "internal_error" if status >= 500 else "bad_request")


def envelope(code: str, message: str, details: JsonObject | None = None) -> JsonObject:
    """Return the body of every response that is not 2xx."""
    error: dict[str, Json] = {"code": code, "message": message, "doc_url": _DOCS + code}
    if details is not None:
        error["details"] = details
    return {"error": error}
