"""`poolse upload`: files go up, and a message has them."""

from __future__ import annotations

import pytest

from poolse import Message
from poolse.testing import Sandbox
from tests.cli.run_command import Command
from tests.cli.test_send import NOBODY


def messages(command: Command) -> list[Message]:
    """What the conversation has, oldest first."""
    with command.chat() as chat:
        return [*chat.conversations.one(command.conversation).messages.iter()][::-1]


def files(command: Command, count: int) -> list[str]:
    names = [f"{number}.txt" for number in range(count)]
    for name in names:
        (command.home / name).write_text(name)
    return names


def names(message: Message) -> list[str | None]:
    return [row.original_filename for row in message.attachments or ()]


@pytest.mark.parametrize(("count", "sizes"), [(1, [1]), (3, [3]), (12, [10, 2])])
def test_files_are_sent_as_few_messages(command: Command, count: int, sizes: list[int]) -> None:
    given = files(command, count)
    called = command("upload", command.conversation, *given, "--text", "Look")
    assert (called.code, called.err) == (0, "")
    sent = messages(command)
    assert called.out.split() == [message.id for message in sent]
    assert [len(names(message)) for message in sent] == sizes
    assert [name for message in sent for name in names(message)] == given
    assert [message.body for message in sent] == ["Look", None][: len(sizes)]


def test_a_file_that_is_refused_does_not_stop_the_others(
    command: Command, sandbox: Sandbox
) -> None:
    given = files(command, 3)
    sandbox.faults.fail(status=422, path="/v1/attachments/upload-url")
    called = command("upload", command.conversation, *given, "--json")
    assert called.code == 1
    assert "poolse: 0.txt: injected fault: status 422" in called.err
    assert '"message": "1 of 3 files were not uploaded"' in called.err
    assert called.json["failed"] == ["0.txt"]
    assert names(messages(command)[0]) == ["1.txt", "2.txt"]


def test_a_file_that_is_missing_does_not_stop_the_others(command: Command) -> None:
    given = files(command, 2)
    arguments = [given[0], "none.txt", ".", given[1]]
    called = command("upload", command.conversation, *arguments, "--text", "Look")
    assert called.code == 1
    assert "poolse: cannot read none.txt: No such file or directory\n" in called.err
    assert "poolse: 2 of 4 files were not uploaded" in called.err
    (sent,) = messages(command)
    assert (sent.body, names(sent)) == ("Look", given)
    assert called.out.split() == [sent.id]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([NOBODY, "0.txt"], 4, "no such conversation"),
        (["{}"], 2, "Missing argument 'FILES...'"),
        (["{}", "none.txt"], 1, "cannot read none.txt: No such file"),
        (["{}", "none.txt"], 1, "poolse: the file was not uploaded"),
        (["{}", "."], 1, "cannot read .: it is a folder"),
    ],
)
def test_a_mistake_is_reported(
    command: Command, sandbox: Sandbox, arguments: list[str], code: int, says: str
) -> None:
    files(command, 1)
    arguments = [each.replace("{}", command.conversation) for each in arguments]
    called = command("upload", *arguments)
    assert (called.code, called.out) == (code, "")
    assert says in called.err
    assert not [each for each in sandbox.requests if "attachments" in each.path]
