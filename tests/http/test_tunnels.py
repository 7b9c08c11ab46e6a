"""Tunnels that a proxy opens, and that end before TLS has begun in them."""

from __future__ import annotations

from typing import Any

import pytest

from poolse import NetworkError
from poolse.testing import Sandbox
from tests.client.observed_clients import CLIENTS, carried_out, done
from tests.http.http_proxy import Proxy
from tests.http.raw_server import Connection, ReceivedRequest


class Flaky(Proxy):
    """Opens some tunnels to nowhere, and then good ones."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures

    def _relay(self, connection: Connection, request: ReceivedRequest) -> None:
        # What has come of TLS may be taken for another request.
        is_connect = request.line.startswith("CONNECT ")
        if is_connect and not self.failures:
            super()._relay(connection, request)
            return
        if is_connect:
            self.failures -= 1
            connection.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        connection.drop()


@CLIENTS
def test_tunnels_that_fail_leave_the_pool_whole(client: type[Any], tls_sandbox: Sandbox) -> None:
    with Flaky(failures=3) as proxy:

        async def scenario(chat: Any) -> None:
            for _ in range(3):
                with pytest.raises(NetworkError):
                    await done(chat.me.show())
            assert (await done(chat.me.show())).external_id == "alice"

        carried_out(
            client,
            tls_sandbox,
            scenario,
            proxy=proxy.base,
            ssl_context=tls_sandbox.ssl_context(),
            max_connections=2,
            max_retries=0,
            timeout=5.0,
        )
