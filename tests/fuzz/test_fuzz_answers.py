"""Whatever the API answers: a value, or an error of ours that can be shown, pickled and copied."""

from __future__ import annotations

import copy
import pickle
import zlib
from math import isfinite
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from poolse import ApiError, DecodeError, to_dict
from poolse._auth.token_cache import TokenCache, claims, subject
from poolse._generated import endpoints
from poolse._generated.service import ERRORS
from poolse._json.codec import decode
from poolse._json.models import Model
from poolse._rest.api_errors import api_error
from poolse._rest.endpoint import Endpoint
from poolse._rest.http_messages import BodyDecoder, Response
from poolse._rest.raw_calls import raw_endpoint
from poolse._support.backoff import parse_retry_after
from tests.auth.test_token_cache import fresh
from tests.fuzz.strategies import FUZZED, contents, headers, json_values

ENDPOINTS: list[Endpoint[Any]] = [
    value for value in vars(endpoints).values() if isinstance(value, Endpoint)
]

LONG = 5000
NOW = 1_780_000_000.0


def check_shown(error: ApiError | DecodeError) -> None:
    for twin in (error, pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert str(twin) == str(error)
        assert len(str(twin)) + len(repr(twin)) < LONG


@FUZZED
@given(content=contents)
def test_the_codec(content: bytes) -> None:
    for endpoint in [*ENDPOINTS, raw_endpoint("GET", "/v1/x")]:
        try:
            value = decode(endpoint.read, content)
        except DecodeError as error:
            check_shown(error)
        else:
            if isinstance(value, Model):
                to_dict(value)


@FUZZED
@given(content=contents, status=st.integers(300, 999), told=headers)
def test_error_envelopes(content: bytes, status: int, told: dict[str, str]) -> None:
    asked = parse_retry_after(told.get("retry-after"), NOW)
    assert asked >= 0
    error = api_error(Response(status, told, content), asked, ERRORS)
    assert error.status == status
    check_shown(error)


@FUZZED
@given(content=json_values.map(lambda value: {"error": value}))
def test_envelopes_of_the_right_shape(content: dict[str, Any]) -> None:
    import json

    check_shown(api_error(Response(422, {}, json.dumps(content).encode()), 0.0, ERRORS))


tokens = (
    st.text(max_size=80)
    | st.binary(max_size=60).map(lambda data: f"a.{data.hex()}.b")
    | st.lists(st.text("abcdefghij0123_-=", max_size=30), min_size=3, max_size=3).map(".".join)
)


@FUZZED
@given(token=tokens)
def test_tokens(token: str) -> None:
    check_token(token)


@FUZZED
@given(value=json_values | st.fixed_dictionaries({"exp": json_values, "sub": json_values}))
def test_tokens_with_claims(value: object) -> None:
    import json
    from base64 import urlsafe_b64encode

    body = urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
    check_token(f"h.{body}.s")


def check_token(token: str) -> None:
    assert isinstance(claims(token), dict)
    assert subject(token) is None or subject(token)
    cache = TokenCache()
    cache.store(token, cache.epoch, now=NOW, date=NOW)
    assert fresh(cache, NOW) in (token, None)
    exp = claims(token).get("exp")
    if "iat" not in claims(token) and isinstance(exp, int | float) and isfinite(exp):
        # However little is left by the clock of this machine, which may be wrong.
        assert fresh(cache, NOW + 4.9) == token


@FUZZED
@given(
    pieces=st.lists(st.binary(max_size=50), max_size=5),
    coding=st.sampled_from(["", "gzip", "deflate", "br", "identity", "x-gzip"]),
    length=st.text(max_size=30) | st.integers().map(str),
    limit=st.integers(1, 200),
    packed=st.booleans(),
)
def test_bodies(pieces: list[bytes], coding: str, length: str, limit: int, packed: bool) -> None:
    if packed:
        packer = zlib.compressobj(wbits=31 if "gzip" in coding else 15)
        whole = b"".join(map(packer.compress, pieces)) + packer.flush()
        pieces = [whole[:7], whole[7:]]
    told = {"content-encoding": coding, "content-length": length}
    try:
        body = BodyDecoder(200, told, limit)
        for piece in pieces:
            body.add(piece)
        assert len(body.finish()) <= limit
    except (DecodeError, zlib.error):
        pass
