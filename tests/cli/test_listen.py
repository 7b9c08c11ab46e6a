"""`poolse listen`: all events, one JSON object a line."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from typing import IO, Any

import pytest

from poolse._generated import events
from poolse.cli.event_stream import WIRE
from poolse.testing import Sandbox
from tests.cli.run_command import Command
from tests.cli.test_send import NOBODY


def until(stdout: IO[str] | None, is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The next event of a kind."""
    assert stdout is not None
    while True:
        event: dict[str, Any] = json.loads(stdout.readline())
        if is_it(event):
            return event


def test_it_hears_everything_and_of_what_begins_meanwhile(
    command: Command, sandbox: Sandbox
) -> None:
    with command.process("listen") as process:
        sandbox.wait_for(lambda: len(sandbox.joins) == 2, timeout=20)
        command.said("Hello")
        event = until(process.stdout, lambda event: event["event"] == "message:new")
        assert event["topic"] == f"conversation:{command.conversation}"
        assert event["payload"]["body"] == "Hello"
        sandbox.broadcast(event["topic"], "poll:new", {"question": "\x1b?"})
        event = until(process.stdout, lambda event: event["event"] == "poll:new")
        assert event["payload"] == {"question": "\x1b?"}
        with command.chat("bob") as chat:
            row = chat.conversations.create(type="group", member_external_ids=["alice"])
            topic = f"conversation:{row.id}"
            until(process.stdout, lambda event: event["event"] == "conversation:created")
            until(process.stdout, lambda event: event["topic"] == topic)
            chat.conversations.one(row.id).messages.send(body="New here")
        event = until(process.stdout, lambda event: event["event"] == "message:new")
        assert event["payload"]["body"] == "New here"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (130, "")


def test_so_many_events_of_one_conversation(command: Command) -> None:
    called = command("listen", command.conversation, "--count", "1")
    assert (called.code, called.err) == (0, "")
    assert called.json["topic"] == f"conversation:{command.conversation}"


def test_a_conversation_that_is_not_there(command: Command) -> None:
    called = command("listen", NOBODY)
    assert (called.code, called.out) == (3, "")
    assert "cannot join" in called.err
    assert "Traceback" not in called.err


def test_a_refused_token(command: Command) -> None:
    called = command("listen", POOLSE_TOKEN="junk")
    assert called.code == 3
    assert "get a new token" in called.err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_one_channel_of_many_that_is_refused_is_reported(
    command: Command, sandbox: Sandbox, number: signal.Signals
) -> None:
    with command.chat() as chat:
        chat.conversations.create(type="group")
    # Two refusals end a channel, so that of three channels one or two end, whichever it is.
    sandbox.faults.refuse_joins("unauthorized", times=4)
    with command.process("listen") as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("poolse: cannot join")
        sandbox.wait_for(lambda: bool(sandbox.joins))
        assert process.poll() is None
        process.send_signal(number)
        process.communicate(timeout=10)
    assert process.returncode == 128 + number


def test_nothing_left_to_hear_is_the_end(command: Command, sandbox: Sandbox) -> None:
    sandbox.faults.refuse_joins("unauthorized", times=1000)
    called = command("listen")
    assert (called.code, called.out) == (3, "")
    assert called.err.count("cannot join") == 2


def test_every_event_has_its_name_on_the_wire() -> None:
    channels = (events.CONVERSATION, events.USER)
    known = {
        str(event.read.__annotations__["return"]): name
        for channel in channels
        for name, event in channel.events.items()
    }
    assert known == WIRE
