"""The bot, alone and against a whole backend."""

from __future__ import annotations

import threading

import pytest
import reminder

from poolse import CancelToken, MessageNew, Poolse
from poolse.testing import Sandbox, client_for
from poolse.testing.factories import make_message


@pytest.mark.parametrize(
    ("body", "answer"),
    [("!remind milk", "I will remind you of milk"), ("!remind", "Of what?"), ("milk", None)],
)
def test_what_it_says(body: str, answer: str | None) -> None:
    assert reminder.answer(make_message(body=body)) == answer


def test_it_answers(poolse_client: Poolse, poolse_sandbox: Sandbox) -> None:
    poolse_sandbox.token("bot")
    talk = poolse_client.conversations.create(type="group", member_external_ids=["bot"])
    poolse_client.conversations.one(talk.id).messages.send(body="!remind milk")
    poolse_sandbox.faults.fail(503, method="POST", retry_after=30)
    stop = CancelToken()
    live = poolse_client.realtime.conversation(talk.id)
    with client_for(poolse_sandbox, "bot") as chat, live:
        events = live.events(timeout=30)
        bot = threading.Thread(target=reminder.run, args=(chat, talk.id, stop))
        bot.start()
        said = next(event.body for event in events if isinstance(event, MessageNew))
        stop.cancel()
        bot.join()
    assert said == "I will remind you of milk"
