"""The table of routes, and which of them a request means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from poolse.sandbox.api import attachments, conversations, devices, media, messages, users
from poolse.sandbox.api.call import Call, Result
from poolse.sandbox.api_filter import ApiFilter
from poolse.sandbox.path_matching import match_route
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
    Endpoint("/v1/devices", "POST", "user", devices.register_device),
    Endpoint("/v1/devices/{token}", "DELETE", "user", devices.unregister_device),
    Endpoint("/v1/ice-servers", "GET", "user", media.list_ice_servers),
    Endpoint(f"{_CONVERSATION}/call-token", "POST", "user", media.create_call_token),
    Endpoint("/v1/users", "POST", "api key", users.create_user),
    Endpoint("/v1/users/{user_id}/tokens", "POST", "api key", users.create_token),
)


class Match(NamedTuple):
    """The route of a request, and the values in its path."""

    endpoint: Endpoint
    path: dict[str, str]


def match(method: str, raw_path: str, api_filter: ApiFilter) -> Match:
    """Return the route that a request means, in one version of the API.

    Raises:
        ApiRefusal: There is no such path, or it takes other methods.
    """
    table = [line for line in ENDPOINTS if api_filter.has_endpoint(line.method, line.path)]
    return Match(*match_route(table, method, raw_path))
