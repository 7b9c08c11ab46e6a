"""What a server leaves out and a flow of the library needs: a DecodeError names it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import attrs
import httpx
import pytest

from poolse import AsyncPoolse, AsyncPoolseBackend, DecodeError, Poolse, PoolseBackend

ID = "9a0c2d3e-1111-4222-8333-444455556601"
PLACE: dict[str, Any] = {"url": "http://storage.test/x", "method": "PUT", "headers": {}}
UPLOAD: dict[str, Any] = {"attachment": {"id": ID}, "upload": PLACE}


def without(said: dict[str, Any], *path: str) -> dict[str, Any]:
    """The same without the field there."""
    first, *rest = path
    if rest:
        return {**said, first: without(said[first], *rest)}
    return {name: value for name, value in said.items() if name != first}


@attrs.frozen
class Case:
    """Answers, by method and path, in which something is missing."""

    path: str
    """Where."""
    answers: dict[str, Any]
    do: Callable[[Any, Any], Any]
    """With a client and a backend."""


def provider(chat: Any, backend: Any) -> Any:
    return backend.token_provider("u-1")()


def upload(chat: Any, backend: Any) -> Any:
    return chat.attachments.upload(b"bytes", filename="a")


def download(chat: Any, backend: Any) -> Any:
    return chat.attachments.one(ID).download()


USERS, TOKENS = "POST /v1/users", "POST /v1/users/u/tokens"
PLACES, WHERE = "POST /v1/attachments/upload-url", f"GET /v1/attachments/{ID}/download-url"
CASES = {
    "user id": Case("$.id", {USERS: {}}, provider),
    "user id is empty": Case("$.id", {USERS: {"id": ""}}, provider),
    "token": Case("$.token", {USERS: {"id": "u"}, TOKENS: {}}, provider),
    "token is null": Case("$.token", {USERS: {"id": "u"}, TOKENS: {"token": None}}, provider),
    "token is empty": Case("$.token", {USERS: {"id": "u"}, TOKENS: {"token": ""}}, provider),
    "upload": Case("$.upload", {PLACES: without(UPLOAD, "upload")}, upload),
    "upload URL": Case("$.upload.url", {PLACES: without(UPLOAD, "upload", "url")}, upload),
    "upload method": Case("$.upload.method", {PLACES: without(UPLOAD, "upload", "method")}, upload),
    "attachment": Case("$.attachment", {PLACES: without(UPLOAD, "attachment")}, upload),
    "attachment id": Case("$.attachment.id", {PLACES: without(UPLOAD, "attachment", "id")}, upload),
    "download URL": Case("$.url", {WHERE: {}}, download),
    "download URL is empty": Case("$.url", {WHERE: {"url": ""}}, download),
}


class Server:
    """Keeps what was asked of it."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        name = f"{request.method} {request.url.path}"
        self.asked.append(name)
        return httpx.Response(200, json=self.answers[name])


def run_sync(server: Server, do: Callable[[Any, Any], Any]) -> None:
    with (
        httpx.Client(transport=httpx.MockTransport(server)) as http,
        Poolse(api_url="http://api.test", token="t", http_client=http) as chat,
        PoolseBackend(api_url="http://api.test", api_key="k", http_client=http) as backend,
    ):
        do(chat, backend)


def run_async(server: Server, do: Callable[[Any, Any], Any]) -> None:
    async def main() -> None:
        async with (
            httpx.AsyncClient(transport=httpx.MockTransport(server)) as http,
            AsyncPoolse(api_url="http://api.test", token="t", http_client=http) as chat,
            AsyncPoolseBackend(api_url="http://api.test", api_key="k", http_client=http) as backend,
        ):
            result = do(chat, backend)
            if inspect.isasyncgen(result):
                async for _ in result:
                    pass
            else:
                await result

    asyncio.run(main())


FLAVOURS = pytest.mark.parametrize("run", [run_sync, run_async])


@FLAVOURS
@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_a_flow_names_what_it_misses(run: Any, case: Case) -> None:
    server = Server(case.answers)
    with pytest.raises(DecodeError) as caught:
        run(server, case.do)
    assert caught.value.path == case.path
    assert case.path in str(caught.value)
    # Nothing was sent to a storage, or for nobody.
    assert server.asked == list(case.answers)


@FLAVOURS
def test_a_client_sends_nothing_without_the_token_that_its_provider_did_not_get(run: Any) -> None:
    server = Server({USERS: {"id": "u"}, TOKENS: {}})

    def sync(_: Any, backend: Any) -> None:
        url = "http://api.test"
        with Poolse(api_url=url, get_token=backend.token_provider("u-1")) as chat:
            chat.me.show()

    async def asynchronous(_: Any, backend: Any) -> None:
        url = "http://api.test"
        async with AsyncPoolse(api_url=url, get_token=backend.token_provider("u-1")) as chat:
            await chat.me.show()

    with pytest.raises(DecodeError) as caught:
        run(server, sync if run is run_sync else asynchronous)
    assert caught.value.path == "$.token"


MESSAGES = "GET /v1/conversations/c/messages"


@FLAVOURS
@pytest.mark.parametrize(
    ("page", "path"), [({}, "$.data"), ({"data": [{"id": "m"}]}, "$.data[].sequence")]
)
def test_a_walk_over_pages_names_what_it_misses(run: Any, page: dict[str, Any], path: str) -> None:
    def walk(chat: Any, _: Any) -> Any:
        pages = chat.conversations.one("c").messages.iter()
        return pages if inspect.isasyncgen(pages) else list(pages)

    with pytest.raises(DecodeError) as caught:
        run(Server({MESSAGES: page}), walk)
    assert caught.value.path == path


SHOWN, LISTED = "GET /v1/conversations/c", "GET /v1/conversations"
FOLLOWED: dict[str, tuple[dict[str, Any], str]] = {
    "head": ({SHOWN: {"id": "c"}}, "$.last_sequence"),
    "page": (
        {SHOWN: {"id": "c", "last_sequence": 3}, MESSAGES: {"data": [{"id": "m"}]}},
        "$.data[0].sequence",
    ),
}


@pytest.mark.parametrize("name", list(FOLLOWED))
def test_what_a_feed_misses_in_its_answers(name: str) -> None:
    answers, path = FOLLOWED[name]
    from poolse._follow.async_source import AsyncConversationSource
    from poolse._follow.source import ConversationSource
    from poolse._follow.steps import Fetch

    def sync(chat: Any, _: Any) -> None:
        source = ConversationSource(chat, None)
        source.head("c")
        source.page(Fetch("c", None, 10))

    async def asynchronous(chat: Any, _: Any) -> None:
        source = AsyncConversationSource(chat, None)
        await source.head("c")
        await source.page(Fetch("c", None, 10))

    for run, do in ((run_sync, sync), (run_async, asynchronous)):
        with pytest.raises(DecodeError) as caught:
            run(Server(answers), do)
        assert caught.value.path == path
