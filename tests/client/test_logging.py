"""What either client writes into the log: words, and fields for structured logs."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from poolse.testing import Sandbox
from tests.client.observed_clients import CLIENTS, carried_out, done

DOCUMENTED = {
    "poolse_attempt",
    "poolse_error",
    "poolse_event",
    "poolse_hook",
    "poolse_method",
    "poolse_path",
    "poolse_request_id",
    "poolse_seconds",
    "poolse_socket",
    "poolse_status",
    "poolse_topic",
    "poolse_wait",
}


def fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name.startswith("poolse_")}


@CLIENTS
def test_a_call_is_reported_in_words_and_fields(
    client: type[Any], sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "poolse")
    sandbox.faults.fail(503)

    async def scenario(chat: Any) -> None:
        await done(chat.me.show())

    carried_out(client, sandbox, scenario)
    begun, retried, ended = [r for r in caplog.records if r.name == "poolse.http"]
    assert begun.getMessage() == "GET /v1/me"
    assert retried.getMessage() == "GET /v1/me: 503, again in 0.000 s"
    assert ended.getMessage().startswith("GET /v1/me: 200 after ")
    call = {"poolse_method": "GET", "poolse_path": "/v1/me"}
    assert fields(begun) == call | {"poolse_event": "request"}
    assert fields(retried) == call | {
        "poolse_event": "retry",
        "poolse_attempt": 1,
        "poolse_status": 503,
        "poolse_wait": 0.0,
    }
    seconds, id = ended.__dict__["poolse_seconds"], ended.__dict__["poolse_request_id"]
    assert fields(ended) == call | {
        "poolse_event": "response",
        "poolse_attempt": 2,
        "poolse_status": 200,
        "poolse_seconds": seconds,
        "poolse_request_id": id,
    }


@CLIENTS
def test_sockets_and_channels_are_reported_too(
    client: type[Any], sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "poolse")

    async def scenario(chat: Any) -> None:
        made = await done(chat.conversations.create(type="group"))
        live = chat.realtime.conversation(made.id)
        await done(live.wait_joined())
        await done(live.leave())

    carried_out(client, sandbox, scenario)
    told = [record.getMessage() for record in caplog.records if record.name == "poolse.realtime"]
    assert told[0] == "socket 1 connected"
    assert told[1].startswith("socket 1 joined conversation:")
    assert told[2].startswith("socket 1 left conversation:")


@CLIENTS
def test_what_is_logged_is_documented_and_no_secret(
    client: type[Any], sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "poolse")
    token = sandbox.token("alice")

    async def scenario(chat: Any) -> None:
        made = await done(chat.conversations.create(type="group", name="Swordfish"))
        messages = chat.conversations.one(made.id).messages
        await done(messages.send(body="Swordfish"))
        row = await done(chat.attachments.upload(b"Swordfish", content_type="image/png"))
        await done(chat.attachments.one(row).download())
        live = chat.realtime.conversation(made.id)
        await done(live.wait_joined())

    carried_out(client, sandbox, scenario, token=token)
    found = [record for record in caplog.records if record.name.startswith("poolse")]
    assert {name for record in found for name in fields(record)} <= DOCUMENTED
    text = " ".join(f"{record.getMessage()} {fields(record)}" for record in found)
    for secret in (token, "Swordfish", "signature", "127.0.0.1"):
        assert secret not in text
