"""Who calls, and with what: the arguments of a constructor that are objects of the caller's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from poolse._support.argument_checks import checked_callback, checked_text, is_async, named
from poolse._support.secret import Secret, checked_api_key, checked_token
from poolse.errors import ArgumentTypeError, UsageError

__all__ = ["api_key_from", "check_http_client", "credential"]

F = TypeVar("F", bound=Callable[..., object])


def credential(
    get_token: F | None, token: object, environment: str | None, *, asynchronous: bool
) -> F | Secret:
    """Return the fixed token, or `get_token`."""
    if get_token is not None and token is not None:
        raise UsageError("pass get_token or token, not both")
    if get_token is not None:
        return checked_callback("get_token", get_token, awaits=asynchronous)
    if callable(token):
        raise ArgumentTypeError("token must be a str: pass a function as get_token")
    if token is not None:
        return checked_token("token", _secret("token", token))
    if environment:
        return checked_token("POOLSE_TOKEN", _secret("POOLSE_TOKEN", environment))
    raise UsageError("no credential: pass get_token or token, or set POOLSE_TOKEN")


def api_key_from(argument: object, environment: str | None) -> Secret:
    """Return the API key: the argument, else POOLSE_API_KEY."""
    if argument is not None:
        return checked_api_key("api_key", _secret("api_key", argument))
    if environment:
        return checked_api_key("POOLSE_API_KEY", _secret("POOLSE_API_KEY", environment))
    raise UsageError("no credential: pass api_key, or set POOLSE_API_KEY")


def check_http_client(client: object, *, asynchronous: bool) -> None:
    """Refuse a sync client where an async one is needed, the reverse, and what is no client."""
    send: object = getattr(client, "send", None)
    kind = "AsyncClient" if asynchronous else "Client"
    if isinstance(client, type):
        raise ArgumentTypeError(f"http_client must be an httpx.{kind}, not the class")
    if not callable(send) or not callable(getattr(client, "build_request", None)):
        raise ArgumentTypeError(f"http_client must be an httpx.{kind}, not {named(client)}")
    if asynchronous and not (is_async(send) or hasattr(client, "aclose")):
        raise ArgumentTypeError("http_client is sync: pass an httpx.AsyncClient")
    if not asynchronous and is_async(send):
        raise ArgumentTypeError("http_client is async: pass an httpx.Client")


def _secret(name: str, value: object) -> Secret:
    return Secret(checked_text(name, value))
