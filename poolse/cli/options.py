"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from poolse.cli.ids import conversation_argument
from poolse.cli.session import Session

__all__ = ["for_backends", "for_users", "in_conversation", "reporting"]

F = TypeVar("F", bound=Callable[..., Any])


def reporting(command: F) -> F:
    """Add `--json` and `--debug`, which every command has."""
    # The last option added is the first one in the help.
    command = _switched("--debug", "Show the traceback of an error.")(command)
    return _switched("--json", "Print JSON, one value per line.")(command)


def for_users(command: F) -> F:
    """Add the options of commands that act for a user of the chat."""
    text = "File with the user's token; - for standard input."
    return _kept("--token-file", "FILE", text)(_reaching(command))


def in_conversation(command: F) -> F:
    """Add the argument CONV, the ID of a conversation. Shells complete it."""
    return conversation_argument("conversation", metavar="CONV")(command)


def for_backends(command: F) -> F:
    """Add the options of commands that need the API key of the tenant."""
    text = "File with the API key; - for standard input."
    return _kept("--api-key-file", "FILE", text)(_reaching(command))


def _reaching(command: F) -> F:
    command = reporting(command)
    for name, metavar, text in (
        ("--profile", "NAME", "Use [profiles.NAME] of the config file."),
        ("--config", "FILE", "Path of the config file; '' for none."),
        ("--ws-url", "URL", "URL of the WebSocket host, if it differs."),
        ("--api-url", "URL", "Base URL of the backend, without /v1."),
    ):
        command = _kept(name, metavar, text)(command)
    return command


def _switched(name: str, text: str) -> Callable[[F], F]:
    return click.option(name, is_flag=True, expose_value=False, callback=_switch, help=text)


def _kept(name: str, metavar: str, text: str) -> Callable[[F], F]:
    return click.option(name, metavar=metavar, expose_value=False, callback=_keep, help=text)


def _keep(context: click.Context, option: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.ensure_object(Session).flags[option.name] = value


def _switch(context: click.Context, option: click.Parameter, value: bool) -> None:
    if value:
        setattr(context.ensure_object(Session), str(option.name), True)
