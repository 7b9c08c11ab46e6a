"""A bot that replies when it is mentioned, once per mention, even if it is killed.

Run it with the POOLSE_TOKEN environment variable. After a restart it resumes where it stopped.
"""

from __future__ import annotations

from poolse import Poolse, SQLiteCheckpoint


def main() -> None:
    """Follow all conversations, including new ones."""
    with (
        SQLiteCheckpoint("bot.db") as checkpoint,
        Poolse() as chat,
        chat.follow(checkpoint=checkpoint) as feed,
    ):
        for item in feed:
            if chat.user_id in item.message.mentions:
                text = f"You said: {item.message.body}"
                item.reply(body=text, quoted_message_id=item.message.id)


if __name__ == "__main__":
    main()
