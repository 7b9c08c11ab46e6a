"""Users of the sandbox, and their tokens."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from poolse.sandbox.control_api.call import Call, Outcome, Path, Route, json
from poolse.sandbox.control_api.schemas import listed, obj, ref
from poolse.sandbox.errors import ApiRefusal, invalid
from poolse.sandbox.strict_json import Json, JsonObject

__all__ = ["USER_ROUTES"]

_LIFETIME: Final = 3600.0
_EXTERNAL_ID: Final = Path("external_id", "Your own ID for the user, percent-encoded.")


async def list_users(call: Call) -> Response:
    """Return all users."""
    data: list[Json] = [_view(user) for user in call.backend.users()]
    return json({"data": data})


async def create_user(call: Call) -> Response:
    """Create a user; one who exists is returned as it is."""
    external_id = str(call.body["external_id"])
    if not external_id.strip():
        raise invalid(external_id="can't be blank")
    name = call.body.get("display_name")
    created, user = call.backend.create_user(external_id, None if name is None else str(name))
    return json(_view(user), 201 if created else 200)


async def change_user(call: Call) -> Response:
    """Block or unblock a user."""
    external_id = call.values["external_id"]
    if call.backend.user_named(external_id) is None:
        raise ApiRefusal("not_found", "no such user")
    call.backend.block(external_id, bool(call.body["blocked"]))
    changed = call.backend.user_named(external_id)
    assert changed is not None  # noqa: S101  (it was there just now)
    return json(_view(changed))


async def create_token(call: Call) -> Response:
    """Issue a token."""
    lifetime = call.body.get("lifetime", _LIFETIME)
    assert isinstance(lifetime, int | float)  # noqa: S101  (or the schema had refused it)
    return json({"token": call.backend.token(call.values["external_id"], lifetime)}, 201)


def _view(user: JsonObject) -> JsonObject:
    fields = {name: user[name] for name in ("id", "external_id", "display_name")}
    return {**fields, "blocked": user["is_blocked"]}


USER_ROUTES: Final = (
    Route(
        "GET",
        "/_sandbox/users",
        list_users,
        "List users",
        {200: Outcome("All users, by the time of their creation.", listed("User"))},
    ),
    Route(
        "POST",
        "/_sandbox/users",
        create_user,
        "Create a user",
        {
            200: Outcome("The user existed, and is returned as it is.", ref("User")),
            201: Outcome("The user was created.", ref("User")),
        },
        body=obj(
            {
                "external_id": {
                    "type": "string",
                    "minLength": 1,
                    "description": "Your own ID for the user.",
                },
                "display_name": {"type": ["string", "null"], "description": "Name to show."},
            },
            "display_name",
        ),
    ),
    Route(
        "PATCH",
        "/_sandbox/users/{external_id}",
        change_user,
        "Block or unblock a user",
        {200: Outcome("The user.", ref("User"))},
        "A blocked user may only call `GET /v1/me`. Open sockets stay, but new ones are refused.",
        body=obj(
            {"blocked": {"type": "boolean", "description": "Whether the user is blocked."}},
        ),
        path_values=(_EXTERNAL_ID,),
        errors=(404,),
    ),
    Route(
        "POST",
        "/_sandbox/users/{external_id}/tokens",
        create_token,
        "Issue a token",
        {
            201: Outcome(
                "A new token.", obj({"token": {"type": "string", "description": "The token."}})
            )
        },
        "The user is created if missing.",
        body=obj(
            {
                "lifetime": {
                    "type": "number",
                    "minimum": -4e9,
                    "maximum": 4e9,
                    "default": _LIFETIME,
                    "description": "Seconds until it expires; negative for an expired token.",
                }
            },
            "lifetime",
        ),
        path_values=(_EXTERNAL_ID,),
    ),
)
