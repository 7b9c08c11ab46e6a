"""A bot that answers `!remind what`, and a route of a web service that says who is there."""

from __future__ import annotations

from poolse import AsyncPoolse, Cancelled, CancelToken, Message, Poolse


def answer(message: Message) -> str | None:
    """What the bot says to a message; None for nothing."""
    command, _, rest = (message.body or "").partition(" ")
    if command != "!remind":
        return None
    return f"I will remind you of {rest}" if rest else "Of what?"


def run(chat: Poolse, conversation_id: str, stop: CancelToken) -> None:
    """Answer every message of a conversation until told to stop."""
    messages = chat.conversations.one(conversation_id).messages
    try:
        with messages.follow(after="beginning", skip_own=True, cancel=stop) as feed:
            for item in feed:
                text = answer(item.message)
                if text is not None:
                    item.reply(body=text)
    except Cancelled:
        return


async def names(chat: AsyncPoolse) -> list[str]:
    """The names of the caller's conversations."""
    return [one.name or "(no name)" for one in await chat.conversations.list()]
