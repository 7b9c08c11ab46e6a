"""A bot that answers when it is mentioned, once for each mention, whatever happens to it.

Run it with POOLSE_TOKEN, and start it again whenever it ends: it goes on where it was.
"""

from __future__ import annotations

from poolse import Poolse, SQLiteCheckpoint


def main() -> None:
    """Follow all conversations, also those that are made meanwhile."""
    with (
        SQLiteCheckpoint("bot.db") as checkpoint,
        Poolse() as chat,
        chat.follow(checkpoint=checkpoint) as feed,
    ):
        for item in feed:
            if chat.user_id in item.message.mentions:
                answer = f"You said: {item.message.body}"
                item.reply(body=answer, quoted_message_id=item.message.id)


if __name__ == "__main__":
    main()
