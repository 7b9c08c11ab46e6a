"""Who calls, and with what: the arguments of a constructor that are objects of the caller's."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from poolse._checks import checked_function, checked_text, named
from poolse._core.secret import Secret, carried
from poolse.errors import ArgumentTypeError, UsageError

__all__ = ["api_key_from", "check_http_client", "check_plain", "checked_callback", "credential"]

F = TypeVar("F", bound=Callable[..., object])

PLAIN: Final = "give a plain function"


def credential(
    get_token: F | None, token: object, environment: str | None, *, asynchronous: bool
) -> F | Secret:
    """The fixed token, or the function that gives them."""
    if get_token is not None and token is not None:
        raise UsageError("give get_token or token, not both")
    if get_token is not None:
        return checked_callback("get_token", get_token, asynchronous=asynchronous)
    if callable(token):
        raise ArgumentTypeError("token must be a str: a function goes to get_token")
    if token is not None:
        return _secret("token", token)
    if environment:
        return _secret("POOLSE_TOKEN", environment)
    raise UsageError("no credential: give get_token or token, or set POOLSE_TOKEN")


def api_key_from(argument: object, environment: str | None) -> Secret:
    """The API key: the argument, else POOLSE_API_KEY."""
    if argument is not None:
        return _secret("api_key", argument)
    if environment:
        return _secret("POOLSE_API_KEY", environment)
    raise UsageError("no credential: give api_key, or set POOLSE_API_KEY")


def checked_callback(name: str, function: F, *, asynchronous: bool) -> F:
    """The function, if the client of this flavour can call it: the async one also awaits it."""
    checked_function(name, function)
    if not asynchronous:
        check_plain(name, function, "use AsyncPoolse, or give a plain function")
    return function


def check_plain(name: str, function: Callable[..., object], hint: str = PLAIN) -> None:
    """Refuse a function whose result would have to be awaited."""
    if _is_async(function):
        raise UsageError(f"{name} is async, and nothing here awaits it: {hint}")


def check_http_client(client: object, *, asynchronous: bool) -> None:
    """Refuse a client of the other flavour, or what is none."""
    send: object = getattr(client, "send", None)
    kind = "AsyncClient" if asynchronous else "Client"
    if isinstance(client, type):
        raise ArgumentTypeError(f"http_client must be an httpx.{kind}, not a class of them")
    if not callable(send) or not callable(getattr(client, "build_request", None)):
        raise ArgumentTypeError(f"http_client must be an httpx.{kind}, not {named(client)}")
    if asynchronous and not (_is_async(send) or hasattr(client, "aclose")):
        raise ArgumentTypeError("http_client is a sync one: give an httpx.AsyncClient")
    if not asynchronous and _is_async(send):
        raise ArgumentTypeError("http_client is an async one: give an httpx.Client")


def _is_async(function: Callable[..., object]) -> bool:
    while isinstance(function, partial):
        function = function.func
    called = getattr(type(function), "__call__", None)  # noqa: B004
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)


def _secret(name: str, value: object) -> Secret:
    return carried(name, Secret(checked_text(name, value)))
