"""Log records of the events that observers are notified of: text and fields.

The fields become attributes of the log record, for structured logs. Their names are
public and begin with `poolse_`; their values are words of the API, numbers and names of errors.
"""

from __future__ import annotations

from collections.abc import Mapping

from poolse.hooks import RealtimeInfo, RequestInfo, ResponseInfo, RetryInfo

__all__ = ["record"]

Fields = Mapping[str, object]


def record(info: RequestInfo | ResponseInfo | RetryInfo | RealtimeInfo) -> tuple[str, Fields]:
    """Return the message, and its fields without empty ones."""
    match info:
        case RequestInfo():
            message, fields = _call(info), _of_call("request", info)
        case RetryInfo():
            outcome = _outcome(info.status, info.error)
            message = f"{_call(info.request)}: {outcome}, again in {info.wait:.3f} s"
            fields = _of_call("retry", info.request) | {
                "poolse_attempt": info.attempt,
                "poolse_status": info.status,
                "poolse_wait": info.wait,
                "poolse_error": _name(info.error),
            }
        case ResponseInfo():
            outcome = _outcome(info.status, info.error)
            message = f"{_call(info.request)}: {outcome} after {info.seconds:.3f} s"
            fields = _of_call("response", info.request) | {
                "poolse_attempt": info.attempts,
                "poolse_status": info.status,
                "poolse_seconds": info.seconds,
                "poolse_request_id": info.request_id,
                "poolse_error": _name(info.error),
            }
        case RealtimeInfo():
            message, fields = _of_socket(info)
    return message, {name: value for name, value in fields.items() if value is not None}


def _call(request: RequestInfo) -> str:
    return f"{request.method} {request.path}"


def _of_call(event: str, request: RequestInfo) -> dict[str, object]:
    return {
        "poolse_event": event,
        "poolse_method": request.method,
        "poolse_path": request.path,
    }


def _of_socket(info: RealtimeInfo) -> tuple[str, dict[str, object]]:
    what = f" {info.topic}" if info.topic else ""
    why = f": {_name(info.error)}" if info.error else ""
    return f"socket {info.socket} {info.event}{what}{why}", {
        "poolse_event": info.event,
        "poolse_socket": info.socket,
        "poolse_topic": info.topic,
        "poolse_error": _name(info.error),
    }


def _outcome(status: int | None, error: BaseException | None) -> str:
    return " ".join(str(part) for part in (status, _name(error)) if part is not None)


def _name(error: BaseException | None) -> str | None:
    """Its class: what it says may be the words of a server, or of the caller's own code."""
    return None if error is None else type(error).__name__
