"""The table of routes, and which of them a request means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, NamedTuple
from urllib.parse import unquote

from poolse.sandbox.api import attachments, conversations, messages, users
from poolse.sandbox.api.call import Call, Result
from poolse.sandbox.errors import ApiRefusal
from poolse.sandbox.store import Store

__all__ = ["ENDPOINTS", "Endpoint", "Match", "match"]

Auth = Literal["user", "api key"]

_CONVERSATION: Final = "/v1/conversations/{conversation_id}"
_MESSAGE: Final = "/v1/messages/{message_id}"
_ATTACHMENT: Final = "/v1/attachments/{attachment_id}"


class Endpoint(NamedTuple):
    """One line of the table; the path is written as in the spec."""

    path: str
    method: str
    auth: Auth
    handle: Callable[[Store, Call], Result]


ENDPOINTS: Final = (
    Endpoint("/v1/me", "GET", "user", users.show_me),
    Endpoint("/v1/conversations", "GET", "user", conversations.list_conversations),
    Endpoint("/v1/conversations", "POST", "user", conversations.create_conversation),
    Endpoint(_CONVERSATION, "GET", "user", conversations.show_conversation),
    Endpoint(_CONVERSATION, "PATCH", "user", conversations.update_conversation),
    Endpoint(f"{_CONVERSATION}/members", "GET", "user", conversations.list_members),
    Endpoint(f"{_CONVERSATION}/members", "POST", "user", conversations.add_members),
    Endpoint(f"{_CONVERSATION}/members/{{user_id}}", "DELETE", "user", conversations.remove_member),
    Endpoint(f"{_CONVERSATION}/messages", "GET", "user", messages.list_messages),
    Endpoint(f"{_CONVERSATION}/messages", "POST", "user", messages.send_message),
    Endpoint(f"{_CONVERSATION}/read", "POST", "user", messages.mark_read),
    Endpoint(_MESSAGE, "PATCH", "user", messages.update_message),
    Endpoint(_MESSAGE, "DELETE", "user", messages.delete_message),
    Endpoint(f"{_MESSAGE}/replies", "GET", "user", messages.list_replies),
    Endpoint(f"{_MESSAGE}/reactions", "POST", "user", messages.add_reaction),
    Endpoint(f"{_MESSAGE}/reactions/{{emoji}}", "DELETE", "user", messages.remove_reaction),
    Endpoint("/v1/attachments/upload-url", "POST", "user", attachments.upload_url),
    Endpoint(f"{_ATTACHMENT}/download-url", "GET", "user", attachments.download_url),
    Endpoint(_ATTACHMENT, "DELETE", "user", attachments.delete_attachment),
    Endpoint("/v1/users", "POST", "api key", users.create_user),
    Endpoint("/v1/users/{user_id}/tokens", "POST", "api key", users.create_token),
)


class Match(NamedTuple):
    """The route of a request, and the values in its path."""

    endpoint: Endpoint
    path: dict[str, str]


def match(method: str, raw_path: str) -> Match:
    """Return the route that a request means.

    The path is taken apart before it is decoded: an encoded slash belongs to its segment.

    Raises:
        ApiRefusal: There is no such path, or it takes other methods.
    """
    tried = [(endpoint, _values(endpoint.path, raw_path)) for endpoint in ENDPOINTS]
    matches = [Match(endpoint, values) for endpoint, values in tried if values is not None]
    if not matches:
        raise ApiRefusal("not_found", "there is nothing at this path")
    # A path that is written out goes before one with a value in its place.
    fewest = min(len(match.path) for match in matches)
    methods = {match.endpoint.method: match for match in matches if len(match.path) == fewest}
    wanted = "GET" if method == "HEAD" else method
    if wanted not in methods:
        allowed = sorted(methods.keys() | ({"HEAD"} if "GET" in methods else set()))
        raise ApiRefusal("method_not_allowed", f"it takes {', '.join(allowed)}", allow=allowed)
    return methods[wanted]


def _values(template: str, raw_path: str) -> dict[str, str] | None:
    """Return the values in a path, or None when it is not of this template."""
    names, segments = template.split("/"), raw_path.split("/")
    if len(names) != len(segments):
        return None
    values: dict[str, str] = {}
    for name, segment in zip(names, segments, strict=True):
        try:
            value = unquote(segment, errors="strict")
        except UnicodeDecodeError:
            return None
        if name.startswith("{") and value:
            values[name[1:-1]] = value
        elif name != value:
            return None
    return values
