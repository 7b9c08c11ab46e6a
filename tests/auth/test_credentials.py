"""A credential is shown nowhere, and what calls with it fits the flavour of the client."""

from __future__ import annotations

import functools
import pickle
from typing import Any

import pytest

from poolse import UsageError
from poolse._auth.credentials import api_key_from, check_http_client, credential
from poolse._support.secret import Secret, hidden


def test_the_argument_wins_over_the_environment() -> None:
    assert credential(None, "argument", "environment", asynchronous=False) == "argument"
    assert credential(None, None, "environment", asynchronous=False) == "environment"
    assert api_key_from("argument", "environment") == "argument"
    assert api_key_from(None, "environment") == "environment"


@pytest.mark.parametrize("key", ["", " ", "pk\n", "schlüssel", 7, b"pk"])
def test_an_api_key_is_a_word(key: Any) -> None:
    with pytest.raises(UsageError, match=r"^api_key (is blank|has|must be a str)"):
        api_key_from(key, "environment")


@pytest.mark.parametrize("key", [None, ""])
def test_without_an_api_key_nothing_works(key: str | None) -> None:
    with pytest.raises(UsageError, match="pass api_key, or set POOLSE_API_KEY"):
        api_key_from(None, key)


def test_a_secret_is_a_str_that_does_not_show_itself() -> None:
    secret = Secret("s3cret")
    assert (repr(secret), f"Bearer {secret}") == ("<secret>", "Bearer s3cret")
    assert "s3cret" not in repr({"token": secret, "more": [secret]})
    assert secret == "s3cret"
    assert pickle.loads(pickle.dumps(secret)) == "s3cret"


def test_only_text_is_hidden() -> None:
    assert repr(hidden("s3cret")) == "<secret>"
    assert hidden(None) is None
    assert hidden(7) == 7


class Decorated:
    """As some tools wrap a client: the coroutine comes out of a plain function."""

    def build_request(self) -> None: ...

    @functools.wraps(build_request)
    def send(self) -> None: ...

    async def aclose(self) -> None: ...


def test_a_wrapped_async_client_is_one() -> None:
    check_http_client(Decorated(), asynchronous=True)
